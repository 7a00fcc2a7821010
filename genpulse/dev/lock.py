"""One stack a folder: whoever holds the lock runs it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genpulse.dev.errors import AlreadyRunning
from genpulse.dev.state import read_state


@contextmanager
def stack_lock(home: Path) -> Iterator[None]:
    """Hold the folder; the system lets it go when the process ends. Raises `AlreadyRunning`."""
    with (home / "dev.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            state = read_state(home)
            raise AlreadyRunning(state.pid if state else None, state.api_url if state else None) from None
        yield
