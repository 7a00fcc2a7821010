"""The part of a branch's name after `feature/` or `fix/`."""

import re

SLUG_RULE = (
    "After feature/ or fix/ come letters, 0-9, '.', '_' and '-', in one or more parts between '/', each beginning "
    "with a letter or digit."
)
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST = 200


def slug_fault(slug: str) -> str:
    """The fault of the part after `feature/` or `fix/`; empty when there is none."""
    if not slug:
        return "the name is missing"
    if len(slug) > _LONGEST:
        return f"it has {len(slug)} characters, and {_LONGEST} are the most"
    return next((fault for part in slug.split("/") if (fault := _part_fault(part))), "")


def _part_fault(part: str) -> str:
    if not part:
        return "a part between '/' is empty"
    if not _PART.fullmatch(part):
        wrong = next((sign for sign in part if not _PART.fullmatch(f"a{sign}")), part[0])
        return f"{wrong!r} is not allowed {'there' if wrong != part[0] else 'at the beginning'}"
    if ".." in part:
        return "'..' means a range of commits to git"
    if part.endswith("."):
        return "it ends with a dot"
    return "it ends with .lock, which git keeps for itself" if part.lower().endswith(".lock") else ""


def slug_of(text: str) -> str:
    """The nearest that may stand after `feature/` or `fix/`; `<name>` when there is none."""
    parts = (_part_of(part) for part in text.encode("ascii", "ignore").decode().split("/"))
    return "/".join(part for part in parts if part)[:_LONGEST].rstrip("/-._") or "<name>"


def _part_of(text: str) -> str:
    part = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    part = re.sub(r"\.{2,}", ".", part).strip("-._")
    while part.lower().endswith(".lock"):
        part = part[: -len(".lock")].strip("-._")
    return part
