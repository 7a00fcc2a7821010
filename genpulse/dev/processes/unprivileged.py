"""Servers never run as root. When we are root they run as an existing user without rights.

That user must be able to reach what it runs and where it writes. A folder such as `/root` does not let it
through, and it is not ours to open; then data and programs lie in folders of our own under `/var/tmp`.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.errors import FolderRefused, UserHasNoName
from genpulse.dev.processes.shared_folders import copy_of, folder_of_ours, place_of

NOBODY = 65534
"""The user and the group without rights, where the system has no user of the name `nobody`."""


@dataclass(frozen=True, slots=True)
class User:
    """Whom a server runs as."""

    uid: int
    gid: int


def server_user() -> User | None:
    """Whom servers run as; None is ourselves, which is right for everybody but root."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return User(NOBODY, NOBODY)
    return User(nobody.pw_uid, nobody.pw_gid)


def check_name(user: User | None) -> None:
    """Raises `UserHasNoName` when PostgreSQL would refuse to run as the user."""
    uid = user.uid if user else os.geteuid()
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise UserHasNoName(uid) from None


def lets_through(path: Path, user: User | None) -> bool:
    """Whether the user can enter the folder, or run the program, going through all that is above it."""
    if user is None:
        return True
    resolved = path.resolve()
    return all(_may_enter(each, user) for each in (resolved, *resolved.parents))


def _may_enter(path: Path, user: User) -> bool:
    status = path.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def service_folder(home: Path, name: str, user: User | None) -> Path:
    """A folder of the service's own that its user may write; `home/name` is it, or a link to it.

    Raises `FolderRefused` where an older one is there that its user cannot have.
    """
    place = home / name
    outside = place_of(_name_elsewhere(home)) / name
    if place.is_symlink():
        _check_link(place, outside)
    elif not place.exists() and not lets_through(home, user):
        place.symlink_to(outside)
    if place.is_symlink():
        folder_of_ours(outside.parent.name)
        return _owned(outside, user)
    if not lets_through(home, user):
        raise FolderRefused(
            f"{place} was made by another user, and a folder above it keeps out the user that servers run as."
            " Run genpulse as the user that made it, or remove it to begin with empty data."
        )
    return _owned(place, user)


def _check_link(place: Path, outside: Path) -> None:
    target = place.readlink()
    if target != outside:
        raise FolderRefused(
            f"{place} leads to {target}, which belongs to another folder: this one was moved or copied. To keep"
            f" the data: mkdir -p -m 711 {outside.parent} && mv {target} {outside}. To begin with empty data or"
            f" after the move: rm {place}"
        )


def _owned(folder: Path, user: User | None) -> Path:
    """The folder, made when need be. Raises `FolderRefused` where it belongs to somebody else."""
    folder.mkdir(mode=0o700, exist_ok=True)
    user_id = user.uid if user else os.geteuid()
    if user and folder.lstat().st_uid == os.geteuid() and not any(folder.iterdir()):
        os.chown(folder, user.uid, user.gid)
    owner = folder.lstat().st_uid
    if owner != user_id:
        raise FolderRefused(
            f"{folder} belongs to user {owner}, and the server would run as user {user_id}. Run genpulse as the"
            " same user as before, or remove the folder to begin with empty data."
        )
    return folder


def remove_home(home: Path) -> None:
    """Remove a throw-away home together with what lies elsewhere for it."""
    outside = place_of(_name_elsewhere(home))
    if outside.exists() and not outside.is_symlink():
        shutil.rmtree(outside, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def remove_service_folder(home: Path, name: str) -> None:
    """Remove the folder of one service, where it lies in the home and where it lies elsewhere.

    Raises `FolderRefused` when it belongs to another user.
    """
    outside = place_of(_name_elsewhere(home)) / name
    for place in (outside, home / name):
        try:
            if place.is_symlink():
                place.unlink()
            elif place.exists():
                shutil.rmtree(place)
        except PermissionError as error:
            raise FolderRefused(
                f"{place} cannot be removed ({error.strerror}: {error.filename}). Do it as the user that ran"
                " genpulse before."
            ) from error
    with contextlib.suppress(OSError):  # it is not there, or another service has its folder in it
        outside.parent.rmdir()


def _name_elsewhere(home: Path) -> str:
    return f"genpulse-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]}"


def reachable_program(program: Path, parts: Sequence[Path], user: User | None) -> Path:
    """The program where its user can reach it; copied with `parts`, its own folder first, when need be."""
    return program if lets_through(program, user) else copy_of(program, parts)
