"""Where the servers of the tests keep their data."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genpulse.dev.processes.unprivileged import remove_home

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
"""Six servers take a quarter of it."""
PREFIX = "genpulse-test-servers-"


@contextmanager
def throw_away_home() -> Iterator[Path]:
    """A folder that is removed after the body: in memory where there is room, since nothing there is to last.

    To make the files of a database, and to remove them, takes a disk several times as long. Whoever a server runs
    as reaches it.
    """
    place = _MEMORY if _has_room(_MEMORY) else Path(tempfile.gettempdir())
    remove_lost(place)
    home, held = _made(place)
    try:
        yield home
    finally:
        remove_home(home)
        os.close(held)


def _made(place: Path) -> tuple[Path, int]:
    """A new folder, which is held before it has the name under which others look for it."""
    unnamed = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=place))
    unnamed.chmod(0o711)
    held = lock(unnamed)
    assert held is not None, f"{unnamed} is new, and another process holds it"
    return unnamed.rename(unnamed.with_name(unnamed.name.removeprefix("."))), held


def _has_room(place: Path) -> bool:
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free > _ROOM


def remove_lost(place: Path) -> None:
    """Remove what tests have left that were killed."""
    for home in place.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError, PermissionError):  # another process removes it, or it is of another user
            if (held := lock(home)) is not None:
                remove_home(home)
                os.close(held)


def lock(home: Path) -> int | None:
    """Hold a folder as long as this process lives, unless another holds it."""
    held = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held
