"""One stack a folder: whoever holds the lock runs it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genpulse.dev.errors import AlreadyRunning
from genpulse.dev.state import read_state

_FILE = "dev.lock"


@contextmanager
def stack_lock(home: Path) -> Iterator[None]:
    """Hold the folder; the system lets it go when the process ends. Raises `AlreadyRunning`."""
    file = home / _FILE
    file.touch(mode=0o600)
    with file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state, holder = read_state(home), lock.read().strip()
            pid = state.pid if state else int(holder) if holder.isdecimal() else None
            raise AlreadyRunning(pid, state.api_url if state else None) from None
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
