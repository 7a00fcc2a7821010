"""One log for all processes of a stack: on the terminal, and in a file for each."""

import re
import threading
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

_COLOURS = {"api": "cyan", "worker": "magenta", "postgres": "blue", "redis": "red", "stack": "green"}
_WIDTH = max(map(len, _COLOURS))
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class StackConsole:
    """Call it with the name of a process and a line of it, from any thread. `quiet` writes to the files alone."""

    def __init__(self, folder: Path, console: Console, *, quiet: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._console = console
        self._quiet = quiet
        self._files: dict[str, TextIO] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        """Take a line."""
        with self._lock:
            if name not in self._files:
                self._files[name] = (self._folder / f"{name}.log").open("w", encoding="utf-8", buffering=1)
            self._files[name].write(_ANSI.sub("", line) + "\n")
            if not self._quiet:
                label = Text(f"{name:<{_WIDTH}} ", style=f"bold {_COLOURS.get(name, 'white')}")
                self._console.print(label + Text.from_ansi(line), soft_wrap=True)

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()
            self._quiet = True
