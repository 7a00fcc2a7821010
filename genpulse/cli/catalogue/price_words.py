"""A price in a few words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_UNITS = {
    "call": ("a call", "calls"),
    "image": ("an image", "images"),
    "second": ("a second", "seconds"),
    "character": ("a character", "characters"),
    "token": ("a token", "tokens"),
    "gpu_second": ("a second of a GPU", "seconds of a GPU"),
}


def price_words(price: Mapping[str, Any] | None) -> str:
    """What a model costs by its document, such as `$0.04 an image`; empty where nobody has stated it."""
    if not price:
        return ""
    amounts = sorted({Decimal(rate["amount_usd"]) for rate in price["rates"]})
    span = f"${amounts[0]:f}" if len(amounts) == 1 else f"${amounts[0]:f} to ${amounts[-1]:f}"
    one, several = _UNITS.get(price["unit"], (f"a {price['unit']}", f"{price['unit']}s"))
    return f"{span} {one}" if price["per"] == 1 else f"{span} for {price['per']:,} {several}"
