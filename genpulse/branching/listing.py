"""Numbers and lists in messages."""

from collections.abc import Sequence


def counted(number: int, thing: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def listed(items: Sequence[object], most: int = 5, mark: str = "") -> str:
    """At most `most` items, one a line behind the mark, and how many more there are."""
    lines = [f"{mark}{item}" for item in items[:most]]
    return "\n".join([*lines, f"{mark}and {len(items) - most} more"] if len(items) > most else lines)


def joined(names: Sequence[str], most: int) -> str:
    """At most `most` names, separated by commas, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
