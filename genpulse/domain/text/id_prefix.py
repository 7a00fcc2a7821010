"""The beginning of an id, as people type it."""

import re
from uuid import UUID

_DIGIT = "[0-9a-f]"
_DIGITS = 32


def _pattern(groups: tuple[int, ...], fewest: int) -> str:
    """A group of digits or a part of it, and after the whole of it the next ones."""
    size, *others = groups
    if not others:
        return f"{_DIGIT}{{{fewest},{size}}}"
    rest = _pattern(tuple(others), 0)
    return f"(?:{_DIGIT}{{{fewest},{size - 1}}}|{_DIGIT}{{{size}}}(?:-{rest})?)"


PATTERN = f"^{_pattern((8, 4, 4, 4, 12), 1)}$"
"""What the beginning of an id looks like: a digit or more in small letters, and hyphens, as the API shows it."""
_BEGINNING = re.compile(PATTERN, re.ASCII)


def ids_beginning_with(prefix: str) -> tuple[UUID, UUID] | None:
    """The lowest and the highest id that begin so; None where no id does.

    Ids of tasks are in the order of time, so that those which begin alike lie beside each other.
    """
    if not _BEGINNING.fullmatch(prefix):
        return None
    digits = prefix.replace("-", "")
    lowest, highest = (UUID(digits.ljust(_DIGITS, digit)) for digit in "0f")
    return lowest, highest
