"""The combined log view of a stack, and its log files."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from genpulse.dev.terminal.log_file import LogFile
from genpulse.domain.text.storable import showable

LONGEST_FILE = 16 * 1024 * 1024
"""Bytes after which a log file is begun anew; the one before it is kept as `<name>.log.1`."""

_COLOURS = {
    "api": "cyan",
    "worker": "magenta",
    "postgres": "blue",
    "redis": "red",
    "docker": "blue",
    "comfyui": "yellow",
    "stack": "green",
}
NAMES = tuple(_COLOURS)
_WIDTH = max(map(len, _COLOURS))
_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
"""What a terminal takes for a command: colours and the cursor, titles and links, what else begins with ESC."""


class StackConsole:
    """Call it with the name of a process and a line of it, from any thread. `quiet` writes to the files alone.

    Files of an earlier run are removed when the first line comes: a stack that is refused, since another one runs,
    says none. A terminal that has gone away is written to no more. Where a file cannot be written for a while,
    such as on a full disk, its lines are counted, and it goes on afterwards. `opened` opens a file by its path.
    """

    def __init__(
        self,
        folder: Path,
        console: Console,
        *,
        quiet: bool = False,
        longest_file: int = LONGEST_FILE,
        opened: Callable[[Path], LogFile] = LogFile,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._begun = False
        self._console = console
        self._quiet = quiet
        self._longest_file = longest_file
        self._opened = opened
        self._files: dict[str, LogFile] = {}
        self._closed = False
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        """Take a line, or several."""
        with self._lock:
            for each in map(_plain, line.split("\n")):
                if not self._closed:
                    self._keep(name, each)
                if not self._quiet:
                    self._show(name, each)

    def _remove_old(self) -> None:
        for name in _COLOURS:
            for file in self._folder.glob(f"{name}.log*"):
                file.unlink(missing_ok=True)
        self._begun = True

    def _keep(self, name: str, line: str) -> None:
        if not self._begun:
            self._remove_old()
        path = self._folder / f"{name}.log"
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = self._opened(path)
        file.write(line)
        if file.size > self._longest_file:
            file.set_aside(path.with_name(f"{name}.log.1"))

    def _show(self, name: str, line: str) -> None:
        label = Text(f"{name:<{_WIDTH}} ", style=f"bold {_COLOURS.get(name, 'white')}")
        try:
            self._console.print(label + Text(line), soft_wrap=True)
        except (OSError, ValueError, SystemExit):  # a broken pipe is for Rich a reason to leave the program
            self._quiet = True

    def close(self) -> None:
        """Close the files, and say no more."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()
            self._closed = self._quiet = True


def _plain(line: str) -> str:
    """The line without what would move a terminal, also that of somebody who looks into the file later."""
    return showable(_CODES.sub("", line))
