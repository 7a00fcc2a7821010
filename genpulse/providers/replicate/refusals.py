"""What it means that Replicate refuses, and why a prediction has failed.

Refusals are RFC 7807 documents: `{"title", "detail", "status"}` (read in the `replicate` packages 1.0.7 and
2.0.0b4). That moderation is told in the words of `error`: seen with single models (unsure), so that it is
recognised by those words. That an aborted prediction is not charged: Replicate's changelog of 2025-10-16.
"""

import re

from genpulse.domain.errors import (
    InvalidInput,
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    QuotaExhausted,
)
from genpulse.domain.failure import Charged
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider.account import Access, refusal
from genpulse.provider.http import AnswerLost, Reply
from genpulse.provider.refusal_words import says_moderated, says_no_credit
from genpulse.provider.status_words import Standing, plain

_ACCESS = Access("Replicate", "replicate")
_MODERATION = re.compile(r"nsfw|moderat|flagged|\bsensitive\b|E005", re.IGNORECASE)
_LENGTH = 1_000


def explain(reply: Reply) -> ProviderError | None:
    """What a refusal means: by its words, then by its status."""
    words = _detail(reply)
    if says_no_credit(words):
        return QuotaExhausted(f"The account at Replicate has no credit: {words}")
    if reply.status == 404:
        return InvalidInput(f"Replicate has no such model, version or prediction: {words}")
    return _ACCESS.denied(reply.status, words) or refusal(reply, words)


def failure_of(prediction: JsonObject, standing: Standing) -> ProviderError:
    """Why a prediction has failed."""
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


def _detail(reply: Reply) -> str:
    try:
        document = reply.document()
    except AnswerLost:
        return reply.excerpt()
    return text_of(document.get("detail")) or text_of(document.get("title")) or reply.excerpt()
