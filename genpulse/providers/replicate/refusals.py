"""Classifies Replicate's refusals, and failures of predictions.

Refusals are RFC 7807 documents: `{"title", "detail", "status"}` (read in the `replicate` packages 1.0.7 and
2.0.0b4). That moderation is told in the words of `error`: seen with single models (unsure), so that it is
recognised by those words. That an aborted prediction is not charged: Replicate's changelog of 2025-10-16.
"""

import re

from genpulse.domain.errors import (
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from genpulse.domain.failure import Charged
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider.account import Access
from genpulse.provider.http import Reply
from genpulse.provider.refusal_words import says_moderated
from genpulse.provider.status_words import Standing, plain

_ACCESS = Access("Replicate", "replicate")
_MODERATION = re.compile(r"nsfw|moderat|flagged|\bsensitive\b|E005", re.IGNORECASE)
_LENGTH = 1_000


def explain(reply: Reply) -> ProviderError | None:
    """Classify a refusal by its words, then by its status."""
    document = reply.document_or_empty()
    words = text_of(document.get("detail")) or text_of(document.get("title")) or reply.excerpt()
    return _ACCESS.explain(reply, words, "model, version or prediction")


def failure_of(prediction: JsonObject, standing: Standing) -> ProviderError:
    """Classify the failure of a prediction."""
    words = text_of(prediction.get("error"))
    if plain(text_of(prediction.get("status"))) == "aborted":
        return ProviderUnavailable("Replicate has aborted the prediction before it ran.")
    if standing is Standing.CANCELED:
        return ProviderRejected("Somebody has canceled the prediction at Replicate.", charged=Charged.MAYBE)
    if _MODERATION.search(words) or says_moderated(words):
        return ModerationBlocked(f"The model refused: {words}", charged=Charged.MAYBE)
    return ProviderRejected(f"The model failed: {words or 'it does not say why'}", charged=Charged.MAYBE)


def text_of(value: JsonValue) -> str:
    """The words of an error, whatever it is made of."""
    match value:
        case str():
            return value[:_LENGTH]
        case {"message": str(words)} | {"detail": str(words)}:
            return words[:_LENGTH]
        case [str(words), *_]:
            return words[:_LENGTH]
        case _:
            return ""
