"""How much of what is on its way into a store waits in the memory of this process."""

from collections.abc import Iterator
from contextlib import contextmanager


class SharedMemory:
    """So many bytes for all streams together. Nobody waits for them: who gets none writes to the disk."""

    def __init__(self, size: int) -> None:
        self._free = size

    @contextmanager
    def share(self) -> Iterator["MemoryShare"]:
        """What one stream takes, which is given back after the body."""
        share = MemoryShare(self)
        try:
            yield share
        finally:
            share.set(0)

    def take(self, count: int) -> bool:
        """Whether there were so many bytes more; a negative number gives some back."""
        if count > self._free:
            return False
        self._free -= count
        return True


class MemoryShare:
    """The part of one stream."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._size = 0

    def set(self, size: int) -> bool:
        """Whether so many bytes are this stream's from now on. If not, nothing has changed."""
        if not self._memory.take(size - self._size):
            return False
        self._size = size
        return True
