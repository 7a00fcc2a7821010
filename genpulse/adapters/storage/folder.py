"""A whole file into a folder: all of it or nothing, and without writing its bytes again where that can be."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

_TRIES = 10


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
        staged.replace(target)
    finally:
        with suppress(FileNotFoundError):
            staged.unlink()
    _reach_the_disk(target)


def _stage(source: Path, staged: Path) -> None:
    for left in reversed(range(_TRIES)):
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(source, staged)
        except (FileNotFoundError, FileExistsError):
            # A removal takes empty folders away, perhaps the one that was just made.
            if not left:
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


def _reach_the_disk(path: Path) -> None:
    """The file, and the folders that name it: a file that a power cut takes away again was never kept."""
    for place in (path, *list(path.parents)[:4]):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
