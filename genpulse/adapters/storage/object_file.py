"""An object of the storage as a file, which is read in parts."""

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_READ_AT_ONCE = 1 << 20


class ObjectFile(io.RawIOBase):
    """`part` gives the bytes from a place up to another one. Each is asked for anew; see `opened`.

    What is known already, which is the bytes of `head` and of `end`, is not asked for. `failure` is what `part`
    raised last: libraries that look at pictures take any error for a broken picture.
    """

    def __init__(
        self, part: Callable[[int, int], bytes], size: int, *, head: bytes = b"", end: bytes = b""
    ) -> None:
        self._part = part
        self._size = size
        self._head = head
        self._end = end
        self._at = 0
        self.failure: Exception | None = None

    @property
    def opened(self) -> BinaryIO:
        """The same, which reads 1 MiB at once."""
        return io.BufferedReader(self, _READ_AT_ONCE)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where it is read next. Raises `OSError` before the beginning, as files do."""
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at < 0:
            raise OSError("there is nothing before the beginning of a file")
        self._at = at
        return at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer, or less at the end."""
        room = memoryview(buffer).cast("B")
        end = min(self._at + len(room), self._size)
        if self._at >= end:
            return 0
        part = self._known(end) or self._asked(end)
        room[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _known(self, end: int) -> bytes:
        tail_at = self._size - len(self._end)
        if self._at >= tail_at:
            return self._end[self._at - tail_at : end - tail_at]
        return self._head[self._at : end]

    def _asked(self, end: int) -> bytes:
        try:
            return self._part(self._at, end)
        except Exception as error:
            self.failure = error
            raise
