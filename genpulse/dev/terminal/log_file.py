"""The log file of a process, which goes on after the disk was full."""

import os
from pathlib import Path


class LogFile:
    """Lines at the end of a file that only its owner reads; nothing that happens to it ends the process.

    What cannot be written is counted. The first line that can be says how many are missing, and why.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number: int | None = None
        self._missing = 0
        self._why = ""
        self._is_torn = False
        self.size = 0

    def write(self, line: str) -> None:
        """Put the line there, or count it."""
        gap = f"… {self._missing} lines are missing or cut here: {self._why}\n" if self._missing else ""
        torn = "\n" if self._is_torn else ""
        try:
            self._put(f"{torn}{gap}{line}\n".encode(errors="replace"))
        except OSError as error:
            self._missing += 1
            self._why = error.strerror or str(error)
        else:
            self._missing = 0

    def _put(self, content: bytes) -> None:
        """Raises `OSError` where not all of it is there."""
        number = self._open()
        while content:
            length = self._append(number, content)
            self.size += length
            self._is_torn = content[length - 1 : length] != b"\n"
            content = content[length:]

    def _append(self, number: int, content: bytes) -> int:
        """Append as many bytes as possible, and return their number. Raises `OSError` where that is 0."""
        return os.write(number, content)

    def _open(self) -> int:
        if self._number is None:
            self._number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.size = os.fstat(self._number).st_size
        return self._number

    def set_aside(self, other: Path) -> None:
        """Keep what was written under another name, in place of what is there, and begin anew."""
        self.close()
        try:
            self._path.replace(other)
        except OSError as error:
            self._missing, self._why = self._missing + 1, f"it could not be set aside: {error.strerror}"

    def close(self) -> None:
        """The next line opens it again."""
        if self._number is not None:
            os.close(self._number)
            self._number = None
