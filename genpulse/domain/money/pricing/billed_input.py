"""What an input says about its price. It is a caller's: any value may be odd, and none raises."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Context, Decimal, InvalidOperation
from typing import TypeAlias

from genpulse.domain.json.value import JsonValue

Document: TypeAlias = Mapping[str, JsonValue]
EXACT = Context(prec=120)
"""Products and sums of amounts have fewer digits than that, so that nothing is rounded."""
MOST = Decimal(10) ** 9
"""A count above it is taken for this one: nothing of what vendors sell comes in thousands of millions."""
_FINEST = Decimal("0.000001")


def number_in(document: Document, name: str) -> Decimal | None:
    """A count above 0, rounded up at its sixth place; None where there is none.

    Digits in a text count, because vendors read them as a number.
    """
    number = count_of(document.get(name))
    return number or None


def count_of(value: object) -> Decimal | None:
    """A count of 0 or more, rounded up at its sixth place; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(_text(value)[:100].strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    return number.quantize(_FINEST, ROUND_CEILING, EXACT) if number < MOST else MOST


def characters_in(document: Document, name: str) -> Decimal:
    """How many characters a text has; that of a list of texts is their sum."""
    return Decimal(sum(len(text) for text in _texts(document.get(name))))


def bytes_in(document: Document, name: str) -> Decimal:
    """How many bytes a text has in UTF-8, which are no fewer than its tokens; that of a list is their sum."""
    return Decimal(sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(document.get(name))))


def size_in(document: Document, name: str) -> Decimal:
    """The entries of a list, or a number; 0 where there is neither."""
    value = document.get(name)
    return Decimal(len(value)) if isinstance(value, list) else number_in(document, name) or Decimal(0)


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    return [] if value is None else [_text(value)]


def _text(value: object) -> str:
    """A value as it is written. Python writes no number of more than 4,300 digits, and no vendor takes one."""
    try:
        return str(value)
    except ValueError:
        return "inf"


def word_of(value: JsonValue) -> str | None:
    """A value as prices name it, such as `1024x1024`, `720p` or `true`; None for what can be no name."""
    match value:
        case None | list() | dict():
            return None
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return _text(value).strip().lower()
