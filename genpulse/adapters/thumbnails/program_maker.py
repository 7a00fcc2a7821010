"""The `ThumbnailMaker` port on `thumbnail_program`, a process for each thumbnail."""

import asyncio
import importlib.util
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from genpulse.domain.assets.thumbnail import ThumbnailWidth
from genpulse.domain.errors import NoThumbnail, ThumbnailsBusy

AT_ONCE = 2

_PROGRAM = Path(__file__).with_name("thumbnail_program.py")
_LIBRARIES = ("PIL", "av")
_WAIT_S = 60.0
_TOO_MUCH = "It takes more time or memory than one may take."
_WHY = {
    3: "Its file is broken, or cannot be read here.",
    4: "It has more pixels than can be read here.",
    5: "There is no picture in it.",
}
"""By how the program ends: `BROKEN`, `TOO_LARGE`, `EMPTY` of `thumbnail_program`, which is not imported here."""

_log = logging.getLogger(__name__)


def is_installed() -> bool:
    """Whether the libraries are there; nothing is imported."""
    return all(importlib.util.find_spec(name) is not None for name in _LIBRARIES)


class ProgramThumbnailMaker:
    """Implements `ThumbnailMaker`, two at a time.

    A process has 10 seconds of processor time, 1 GiB of memory, and gives way to all others.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="thumbnails")
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    async def make(self, path: Path, media_type: str, width: ThumbnailWidth) -> bytes:
        """A WebP of this width, or as wide as the picture is."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._make, path, media_type, width)

    def _make(self, path: Path, media_type: str, width: ThumbnailWidth) -> bytes:
        try:
            status, content, words = self._run(path, media_type, width)
        except OSError as error:
            raise ThumbnailsBusy(f"no process could be started for it ({error.strerror})") from error
        if status == 0:
            return content
        _log.info("no thumbnail of a file (%s): %s", status, words[-500:].decode("utf-8", "replace"))
        raise NoThumbnail(_WHY.get(status, _TOO_MUCH))

    def _run(self, path: Path, media_type: str, width: ThumbnailWidth) -> tuple[int, bytes, bytes]:
        """How the process ended, what it wrote, and what it said. Raises `OSError` where it cannot be started."""
        command = [sys.executable, "-I", str(_PROGRAM), media_type, str(int(width))]
        with (
            path.open("rb") as file,
            subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        ):
            self._running.add(process)
            content, words = b"", b""
            try:
                content, words = process.communicate(timeout=0 if self._is_closed else _WAIT_S)
            except subprocess.TimeoutExpired:
                words = b"it took too long"
            finally:
                process.kill()
                self._running.discard(process)
        return process.returncode, content, words

    async def close(self) -> None:
        """Begin nothing more, and end what is being made."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self._running):
            process.kill()
