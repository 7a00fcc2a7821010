"""Tokens that a server has counted."""

from collections.abc import Mapping

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import ReportedUsage

TEXT_INPUT, IMAGE_INPUT, OUTPUT = "text_input", "image_input", "output"
"""Kinds of tokens, as prices of models name them."""


def usage_of(answer: JsonObject) -> ReportedUsage | None:
    """What the server says in `usage`; None where it says nothing that can be counted.

    Input whose kind it does not tell counts as text.
    """
    usage = _object(answer.get("usage"))
    details = _object(usage.get("input_tokens_details"))
    text, image = _count(details.get("text_tokens")), _count(details.get("image_tokens"))
    if text is None and image is None:
        text = _count(usage.get("input_tokens"))
    counted = {TEXT_INPUT: text, IMAGE_INPUT: image, OUTPUT: _count(usage.get("output_tokens"))}
    tokens = {kind: count for kind, count in counted.items() if count is not None}
    return ReportedUsage(tokens=tokens) if OUTPUT in tokens else None


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _count(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
