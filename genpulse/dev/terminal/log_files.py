"""Reads the log files of a stack, also while they are written."""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

_LOOK_EVERY_S = 0.1


def last_lines(folder: Path, name: str, count: int) -> list[str]:
    """The newest lines of a process, at most `count`; of the file before too when the newest has fewer."""
    newest: deque[str] = deque(maxlen=count)
    for file in (folder / f"{name}.log.1", folder / f"{name}.log"):
        if file.exists():
            with file.open(encoding="utf-8", errors="replace") as lines:
                newest.extend(line.rstrip("\n") for line in lines)
    return list(newest)


def new_lines(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Process and line, as they are written from now on; it never ends."""
    with ExitStack() as stack:
        tails = [stack.enter_context(_Tail(folder / f"{name}.log", name)) for name in names]
        while True:
            lines = [(tail.name, line) for tail in tails for line in tail.lines()]
            yield from lines
            if not lines:
                time.sleep(_LOOK_EVERY_S)


class _Tail:
    """A log file that is followed over its replacement by a new one."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._path = path
        self._rest = ""
        self._file: TextIO | None = None
        if path.exists():
            self._open()
            self._opened().seek(0, os.SEEK_END)

    def __enter__(self) -> "_Tail":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def lines(self) -> Iterator[str]:
        """Yield the new lines to the end of the file; then those of the file that replaced it."""
        if self._file is not None:
            yield from self._read()
        if self._is_another():
            self._open()
            yield from self._read()

    def _read(self) -> Iterator[str]:
        text = self._rest + self._opened().read()
        *whole, self._rest = text.split("\n")
        yield from whole

    def _is_another(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or not os.path.samestat(there, os.fstat(self._file.fileno()))

    def _open(self) -> None:
        if self._file is not None:
            self._file.close()
        self._rest = ""
        self._file = self._path.open(encoding="utf-8", errors="replace")

    def _opened(self) -> TextIO:
        if self._file is None:
            raise AssertionError("the file is opened first")
        return self._file
