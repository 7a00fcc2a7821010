"""The files that fake vendors make, and the forms in which they name them."""

import base64
from urllib.parse import quote

from genpulse.testing.situation import Situation

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)
"""The smallest picture. In base64 it needs padding, and has what the alphabet of URLs spells otherwise."""
SVG = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by a model -->\n'
    b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
)
"""A picture in words, behind a declaration and a comment."""
IN_THE_ANSWER = frozenset(
    {
        Situation.PREFIXED_OUTPUT,
        Situation.WRAPPED_OUTPUT,
        Situation.UNPADDED_OUTPUT,
        Situation.URL_ALPHABET_OUTPUT,
        Situation.PERCENT_OUTPUT,
        Situation.SVG_OUTPUT,
    }
)
"""Situations in which a vendor puts the output into its answer."""


def content_of(situation: Situation) -> bytes:
    """The content of a job's file."""
    return SVG if situation is Situation.SVG_OUTPUT else PNG


def in_base64(situation: Situation) -> str:
    """The output in base64, as the situation spells it."""
    plain = base64.b64encode(content_of(situation)).decode()
    match situation:
        case Situation.PREFIXED_OUTPUT:
            return f"data:image/png;base64,{plain}"
        case Situation.WRAPPED_OUTPUT:
            return "\r\n".join(plain[begin : begin + 76] for begin in range(0, len(plain), 76)) + "\n"
        case Situation.UNPADDED_OUTPUT:
            return plain.rstrip("=")
        case Situation.URL_ALPHABET_OUTPUT:
            return base64.urlsafe_b64encode(content_of(situation)).decode()
        case _:
            return plain


def as_uri(situation: Situation) -> str:
    """The output as a `data:` URI, as the situation spells it."""
    media_type = "image/svg+xml" if situation is Situation.SVG_OUTPUT else "image/png"
    if situation is Situation.PERCENT_OUTPUT:
        return f"data:{media_type},{quote(content_of(situation), safe='')}"
    encoded = in_base64(situation)
    return encoded if encoded.startswith("data:") else f"data:{media_type};base64,{encoded}"
