"""The beginning of an id, as people type it."""

from uuid import UUID

_DIGITS = 32
_LENGTH = 36


def ids_beginning_with(prefix: str) -> tuple[UUID, UUID] | None:
    """The lowest and the highest id that begin so; None where no id does.

    An id is written in small letters with hyphens, as the API shows it. Ids of tasks are in the order of time, so
    that those which begin alike lie beside each other.
    """
    digits = prefix.replace("-", "")
    if not digits or len(prefix) > _LENGTH or not set(digits) <= set("0123456789abcdef"):
        return None
    lowest, highest = (UUID(digits.ljust(_DIGITS, digit)[:_DIGITS]) for digit in "0f")
    return (lowest, highest) if str(lowest).startswith(prefix) else None
