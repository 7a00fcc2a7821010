"""Tells files that `genpulse flow install` wrote from others, and finds a place for ours beside those."""

import json
from pathlib import Path, PurePosixPath

from genpulse.branching.files.errors import FileInTheWay
from genpulse.environment.table import ENVIRONMENTS

_SIGN = b"Written by `genpulse flow "
_SIGNED_WITHIN = 400
"""Bytes from the beginning in which the sign stands, in text and in the packed merge check."""
_DOCUMENTS = ({row.dynaconf for row in ENVIRONMENTS}, {"protected_branches", "protected_tags", "project"})


def is_ours(content: bytes) -> bool:
    """Whether a file of this content was written by `install`: by its first lines, or by its kind of document."""
    if _SIGN in content[:_SIGNED_WITHIN]:
        return True
    try:
        document = json.loads(content)
    except ValueError:
        return False
    if not isinstance(document, dict):
        return False
    return str(document.get("name", "")).startswith("flow: ") or set(document) in _DOCUMENTS


def place(folder: Path, path: str) -> str:
    """The path for a file of ours: `path`, or one beside it where another file is there.

    Raises `FileInTheWay` when there is a stranger at both places.
    """
    places = (path, _beside(path))
    for each in places:
        file = folder / each
        if not file.is_file() or is_ours(file.read_bytes()):
            return each
    finding = f"{' and '.join(places)} are both files of your own."
    raise FileInTheWay(finding, note="Move one of them elsewhere with git mv.")


def _beside(path: str) -> str:
    there = PurePosixPath(path)
    return str(there.with_name(f"genpulse-{there.name}"))
