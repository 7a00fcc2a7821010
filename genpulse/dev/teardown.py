"""Taking a stack down from outside, and removing its data."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from genpulse.dev.errors import NotRunning, StillRunning
from genpulse.dev.processes.stack_lock import lock_holder, stack_lock
from genpulse.dev.processes.unprivileged import remove_service_folder
from genpulse.dev.servers.docker import Compose
from genpulse.dev.servers.running import POSTGRES, REDIS

_LOOK_EVERY_S = 0.05


def end_stack(home: Path, patience_s: float) -> int:
    """Ask the supervisor of this folder to end, and return its number when it has.

    Raises `NotRunning`, and `StillRunning` when it has not ended after `patience_s` seconds.
    """
    pid = lock_holder(home)
    if pid is None:
        raise NotRunning(home)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return pid
    deadline = time.monotonic() + patience_s
    while lock_holder(home) == pid:
        if time.monotonic() > deadline:
            raise StillRunning(pid, patience_s)
        time.sleep(_LOOK_EVERY_S)
    return pid


def stop_containers(folder: Path, home: Path) -> bool:
    """Stop those that a supervisor has left behind that was killed; False when there can be none.

    Raises `DockerRefused`.
    """
    compose = Compose.of_earlier(folder, home)
    if compose is None:
        return False
    with stack_lock(home):
        compose.stop((POSTGRES, REDIS))
    return True


def data_of(folder: Path, home: Path) -> Iterator[str]:
    """What `remove_data` would throw away, in words. Raises `DockerRefused`."""
    for name in (POSTGRES, REDIS):
        if (home / name).exists() or (home / name).is_symlink():
            yield str(home / name)
    compose = Compose.of_earlier(folder, home)
    if compose is not None:
        yield f"the containers and volumes of the Docker Compose project {compose.project}"


def remove_data(folder: Path, home: Path) -> None:
    """Throw away what both servers hold; ports and password stay.

    Raises `AlreadyRunning` while the stack is up, `DockerRefused`, and `FolderRefused` for data of another user.
    """
    with stack_lock(home):
        compose = Compose.of_earlier(folder, home)
        if compose is not None:
            compose.remove()
        for name in (POSTGRES, REDIS):
            remove_service_folder(home, name)
