"""Which files of a folder were compared with their digest, and have not changed since."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

_MOST = 4096
_HELD_S = 3600.0
"""A disk may lose bits without anybody writing: after an hour a file is compared again."""

Identity: TypeAlias = tuple[int, int, int, int]
"""Of a file at a moment: its disk, its number there, its size in bytes, and when it was written (ns)."""


@dataclass(frozen=True, slots=True)
class _Check:
    sha256: str
    identity: Identity
    at_s: float


class CheckedFiles:
    """By key, the last few thousand that were compared. Threads may use it at once; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._checks: dict[str, _Check] = {}
        self._lock = threading.Lock()

    def note(self, key: str, sha256: str, identity: Identity) -> None:
        """The file under `key` was such a one when all of it was read, and its bytes have this digest."""
        with self._lock:
            self._checks.pop(key, None)
            self._checks[key] = _Check(sha256, identity, self._clock())
            if len(self._checks) > _MOST:
                del self._checks[next(iter(self._checks))]

    def knows(self, key: str) -> bool:
        """Whether the file under `key` was compared lately; it may have changed since."""
        return key in self._checks

    def holds(self, key: str, sha256: str, identity: Identity) -> bool:
        """Whether this file was compared with this digest within the last hour, and is still the same."""
        check = self._checks.get(key)
        if check is None or (check.sha256, check.identity) != (sha256, identity):
            return False
        return self._clock() - check.at_s < _HELD_S


def identity_of(file: Path | int) -> Identity:
    """Of the file at a path, or of an open one. Raises `OSError`."""
    found = file.stat() if isinstance(file, Path) else os.fstat(file)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
