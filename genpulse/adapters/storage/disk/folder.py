"""Atomic writes of files into a folder, by a hard link where that is possible.

The bytes have reached the disk before they get their name, and the name before anybody is told: whatever a power
cut leaves under a name is whole.
"""

import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TRIES = 100
"""On a busy machine somebody else may run between any two steps."""


def put_file(root: Path, key: str, source: Path) -> None:
    """Keep `source`, which nobody changes any more, under `key`. It has reached the disk when this returns.

    A file on the same disk gets a second name; from another disk it is copied. Raises `OSError`.
    """
    target = root / key
    # obstore lists no name that ends with # and digits.
    staged = target.with_name(f"{target.name}#{secrets.randbits(60)}")
    try:
        _stage(source, staged)
        staged.chmod(root.stat().st_mode & 0o666)
        _sync(staged)
        staged.replace(target)
    finally:
        with suppress(FileNotFoundError):
            staged.unlink()
    _sync_folders(root, target)


def reach_the_disk(root: Path, key: str) -> None:
    """The file under `key` and its name, which another process may have just put there. Raises `OSError`."""
    target = root / key
    _sync(target)
    _sync_folders(root, target)


def remove_staged(root: Path, keys: Iterable[str]) -> None:
    """Remove staged files of killed processes beside these keys. Raises `OSError`."""
    targets = {root / key for key in keys}
    for folder in {target.parent for target in targets}:
        for left in folder.glob("?*#*"):
            if left.with_name(left.name.rpartition("#")[0]) in targets:
                left.unlink(missing_ok=True)


def _stage(source: Path, staged: Path) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(source, staged)
        except (FileNotFoundError, FileExistsError):
            # A removal takes empty folders away, perhaps the one that was just made.
            if not tries_left:
                raise
        else:
            return


def _link_or_copy(source: Path, staged: Path) -> None:
    try:
        staged.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, staged)


def _sync_folders(root: Path, target: Path) -> None:
    """All that lead to the file: another process may have made one of them a moment ago."""
    for folder in target.parents:
        _sync(folder)
        if folder == root:
            return


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
