"""Folders under `/var/tmp` that the unprivileged server user can reach."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from genpulse.dev.errors import FolderRefused

_PROGRAMS = "genpulse-programs"
_UNNEEDED = frozenset({"__pycache__", "include"})


def place_of(name: str) -> Path:
    """Where a folder of that name would be."""
    lasting = Path("/var/tmp")  # noqa: S108 - what is there is checked before it is used
    return (lasting if lasting.is_dir() else Path(tempfile.gettempdir())) / name


def folder_of_ours(name: str) -> Path:
    """The folder, which everybody may enter and only we may write. Raises `FolderRefused` if it is not ours."""
    folder = place_of(name)
    folder.mkdir(mode=0o711, exist_ok=True)
    owner = folder.lstat().st_uid
    if folder.is_symlink() or owner != os.geteuid():
        raise FolderRefused(
            f"{folder} should be a folder of user {os.geteuid()} and is {_described(folder)} of user {owner}."
            " It is not used: see who made it, and remove it."
        )
    folder.chmod(0o711)
    return folder


def _described(path: Path) -> str:
    return "a link" if path.is_symlink() else "one"


def copy_of(program: Path, parts: Sequence[Path]) -> Path:
    """The program in a copy that all users can run: of folders or files that lie beside each other.

    The program is one of these parts or lies in one. The copy is made once, and anew when something of it was
    cleaned away.
    """
    copies = folder_of_ours(_PROGRAMS)
    copy = copies / _digest(program, parts)
    if not all((copy / name).exists() for name, _ in _files(parts)):
        shutil.rmtree(copy, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(dir=copies))
        for part in parts:
            if part.is_dir():
                shutil.copytree(part, fresh / part.name, symlinks=True, ignore=shutil.ignore_patterns(*_UNNEEDED))
            else:
                shutil.copy2(part, fresh)
        _open_to_all(fresh)
        _keep_as(copy, fresh)
    return copy / program.relative_to(parts[0].parent)


def _keep_as(copy: Path, fresh: Path) -> None:
    try:
        fresh.rename(copy)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not copy.exists():
            raise


def _open_to_all(tree: Path) -> None:
    """What its owner may read and run, others may as well, and nobody else may write."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o700
            path.chmod((mode | mode >> 3 | mode >> 6) & 0o755)


def _digest(program: Path, parts: Sequence[Path]) -> str:
    """Tells versions apart: the program's own bytes, and the names and sizes of what is around it."""
    digest = hashlib.sha256(program.read_bytes())
    for name, path in _files(parts):
        digest.update(f"{name} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]


def _files(parts: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each file with its name in a copy; what is not copied is left out."""
    for part in parts:
        for path in (part, *sorted(part.rglob("*"))):
            name = path.relative_to(part.parent)
            if path.is_file() and not _UNNEEDED.intersection(name.parts):
                yield name, path
