"""Servers never run as root. When we are root they run as an existing user without rights.

That user must be able to reach what it runs and where it writes. A folder such as `/root` does not let it
through, and it is not ours to open; then data and programs lie in folders of our own under `/var/tmp`.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.errors import DevStackError

NOBODY = 65534
"""The user and the group without rights: the same number on Linux distributions, and it needs no name."""


@dataclass(frozen=True, slots=True)
class User:
    """Whom a server runs as."""

    uid: int
    gid: int


def server_user() -> User | None:
    """Whom servers run as; None is ourselves, which is right for everybody but root."""
    return User(NOBODY, NOBODY) if os.geteuid() == 0 else None


def lets_through(folder: Path, user: User | None) -> bool:
    """Whether the user can enter the folder, going through all that are above it."""
    if user is None:
        return True
    resolved = folder.resolve()
    return all(_may_enter(path, user) for path in (resolved, *resolved.parents))


def _may_enter(folder: Path, user: User) -> bool:
    status = folder.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def service_folder(home: Path, name: str, user: User | None) -> Path:
    """A folder of the service's own that its user may write; `home/name` is it, or a link to it."""
    place = home / name
    if lets_through(home, user):
        folder = place
    else:
        folder = _elsewhere(f"genpulse-{_digest(str(home.resolve()))}") / name
    folder.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    if folder != place and not place.is_symlink():
        place.symlink_to(folder)
    return folder


def remove_home(home: Path) -> None:
    """Remove a throw-away home together with what lies elsewhere for it."""
    for link in home.iterdir():
        if link.is_symlink():
            shutil.rmtree(link.resolve().parent, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def reachable_program(program: Path, root: Path | None, user: User | None) -> Path:
    """The program where its user can reach it; copied with its whole tree `root` when need be."""
    if lets_through(program.parent, user):
        return program
    root = root or program
    copy = _copy_of(root)
    return copy / program.relative_to(root) if root != program else copy / program.name


def _copy_of(root: Path) -> Path:
    """A copy of a tree or a file in a folder of ours, made once and complete when it is there."""
    stamp = f"{root}:{root.stat().st_mtime_ns}:{root.stat().st_ino}"
    copies = _elsewhere("genpulse-programs")
    copy = copies / _digest(stamp)
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=copies))
        if root.is_dir():
            shutil.copytree(root, fresh, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(root, fresh)
        fresh.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not copy.exists():
                raise
    return copy


def _elsewhere(name: str) -> Path:
    """A folder of ours that everybody may enter and only we may write. Raises `DevStackError`."""
    base = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
    folder = base / name
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid():
        raise DevStackError(f"{folder} is not a folder of ours: it belongs to user {status.st_uid}. Remove it.")
    folder.chmod(0o711)
    return folder


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
