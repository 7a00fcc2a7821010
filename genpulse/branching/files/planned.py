"""A file that is to be written, and the difference that it makes."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.files.errors import FileInTheWay


@dataclass(frozen=True, slots=True)
class Planned:
    """A file: its path below the repository, its content, and the difference to what is there, empty for none."""

    path: str
    diff: str
    content: str


def compared(folder: Path, path: str, content: str) -> Planned:
    """With what is there now, byte by byte: another line ending is a difference. Raises `FileInTheWay`."""
    file = inside(folder, path)
    try:
        before = file.read_bytes().decode(errors="backslashreplace") if file.exists() else None
    except OSError as error:
        found = f"{path} cannot be read: {error.strerror}."
        raise FileInTheWay(found, note="Give yourself the right to it.") from error
    if before == content:
        return Planned(path, "", content)
    return Planned(path, _difference(path, before, content), content)


def inside(folder: Path, path: str) -> Path:
    """Where it is written. Raises `FileInTheWay` for what is outside of the repository, or cannot be a file."""
    file, root = folder / path, folder.resolve()
    if not file.resolve().is_relative_to(root):
        found = f"{path} leads out of the repository, to {file.resolve()}."
        raise FileInTheWay(found, note="Remove the symbolic link.")
    if file.exists() and not file.is_file():
        raise FileInTheWay(f"{path} is not a file.", note="Move it elsewhere with git mv.")
    above = next((parent for parent in file.parents if parent.exists()), folder)
    if not above.is_dir():
        found = f"{above.relative_to(folder)} is not a folder."
        raise FileInTheWay(found, note="Move it elsewhere with git mv.")
    return file


def _difference(path: str, before: str | None, content: str) -> str:
    old = f"a/{path}" if before is not None else "/dev/null"
    lines = difflib.unified_diff(_lines(before or ""), _lines(content), old, f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Split at newlines alone; a carriage return is shown as `\\r`."""
    *lines, last = text.replace("\r", "\\r").split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]
