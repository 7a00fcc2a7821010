"""A file that is to be written or removed, and the difference that it makes."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.files.errors import FileInTheWay


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file: its path below the repository, the difference to what is there (empty for none), and its content.

    The content is None for a file that is to go. `program` says whether it is to be run.
    """

    path: str
    diff: str
    content: bytes | None
    program: bool = False


def compared(folder: Path, path: str, content: bytes | None, *, program: bool = False) -> PlannedFile:
    """Compare a file with what is there now, byte by byte, line endings included. Raises `FileInTheWay`."""
    file = inside(folder, path)
    try:
        before = file.read_bytes() if file.exists() else None
    except OSError as error:
        finding = f"{path} cannot be read: {error.strerror}."
        raise FileInTheWay(finding, note="Give yourself the right to it.") from error
    diff = "" if before == content else _difference(path, before, content)
    return PlannedFile(path, diff, content, program)


def inside(folder: Path, path: str) -> Path:
    """Resolve a path in the repository. Raises `FileInTheWay` for one outside of it, or that cannot be a file."""
    file, root = folder / path, folder.resolve()
    if not file.resolve().is_relative_to(root):
        finding = f"{path} leads out of the repository, to {file.resolve()}."
        raise FileInTheWay(finding, note="Remove the symbolic link.")
    if file.exists() and not file.is_file():
        raise FileInTheWay(f"{path} is not a file.", note="Move it elsewhere with git mv.")
    above = next((parent for parent in file.parents if parent.exists()), folder)
    if not above.is_dir():
        finding = f"{above.relative_to(folder)} is not a folder."
        raise FileInTheWay(finding, note="Move it elsewhere with git mv.")
    return file


def _difference(path: str, before: bytes | None, content: bytes | None) -> str:
    old = f"a/{path}" if before is not None else "/dev/null"
    new = f"b/{path}" if content is not None else "/dev/null"
    if b"\0" in (before or b"") + (content or b""):
        return f"--- {old}\n+++ {new}\nBinary files differ: {_size(before)}, then {_size(content)}\n"
    lines = difflib.unified_diff(_lines(before), _lines(content), old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _size(content: bytes | None) -> str:
    return "nothing" if content is None else f"{len(content)} bytes"


def _lines(content: bytes | None) -> list[str]:
    """Split at newlines alone; a carriage return is shown as `\\r`."""
    text = (content or b"").decode(errors="backslashreplace")
    *lines, last = text.replace("\r", "\\r").split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]
