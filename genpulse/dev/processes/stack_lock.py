"""The lock of a folder's stack: the process that holds it runs the stack."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from genpulse.dev.errors import AlreadyRunning
from genpulse.dev.state import read_state

_FILE = "dev.lock"
_TRIES = 5
_PAUSE_S = 0.02


@contextmanager
def stack_lock(home: Path) -> Iterator[None]:
    """Hold the folder; the system lets it go when the process ends. Raises `AlreadyRunning`."""
    file = home / _FILE
    file.touch(mode=0o600)
    with file.open("r+") as lock:
        if not _take(lock):
            state, written = read_state(home), _pid_in(lock.read())
            raise AlreadyRunning(state.pid if state else written, state.api_url if state else None)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _take(lock: TextIO) -> bool:
    """Take the lock in a few tries, since a process that asks for the holder has it for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def lock_holder(home: Path) -> int | None:
    """The process that holds the folder now; None when nobody does.

    The system lets a lock go with its process, so that this is never a later process of the same number.
    """
    try:
        with (home / _FILE).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _pid_in(lock.read())
    except OSError:
        pass
    return None


def _pid_in(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
