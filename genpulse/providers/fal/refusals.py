"""Classifies fal's refusals, and failures of its apps.

Refusals carry `detail`, a text or a list of what does not fit, and sometimes `error_type` or the header
`x-fal-error-type` (read in the package `fal-client` 1.0.3). Which words come with 403 was seen (unsure): "User is
locked. Reason: Exhausted balance".
"""

from genpulse.domain.errors import (
    InvalidInput,
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
)
from genpulse.domain.failure import Charged
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider.account import Access
from genpulse.provider.error_words import plain_text
from genpulse.provider.http import Reply
from genpulse.provider.refusal_words import says_moderated, says_no_credit

_ACCESS = Access("fal", "fal")
_POLICY = "content_policy_violation"
_OF_THE_QUESTION = frozenset({401, 402, 403, 404, 408, 409, 410, 425, 429})
"""Where a result is asked for, these are about the asking, not about the app."""
_LENGTH = 1_000


def explain(reply: Reply) -> ProviderError | None:
    """Classify a refusal by its words, then by its status."""
    document = reply.document_or_empty()
    words = _words(document) or reply.excerpt()
    problem = None if says_no_credit(words) else _problem(document, Charged.NO)
    return problem or _ACCESS.explain(reply, words, "app or request")


def failed_app(reply: Reply) -> ProviderError | None:
    """The app's failure, in the answer to a question for its result; None where the answer names none."""
    document = reply.document_or_empty()
    if reply.status in _OF_THE_QUESTION:
        return None
    if problem := _problem(document, Charged.MAYBE):
        return problem
    kind = reply.headers.get("x-fal-error-type") or plain_text(document.get("error_type"))
    if not kind and reply.status != 422:
        return None
    return _failure(kind or "invalid input", _words(document) or reply.excerpt())


def failed_request(status: JsonObject) -> ProviderError | None:
    """The failure that stands in the status of a request; None where none does."""
    error = status.get("error")
    if not error:
        return None
    words = plain_text(error) or _words(error if isinstance(error, dict) else {"detail": error})
    return _failure(plain_text(status.get("error_type")) or "no type", words or "it does not say why")


def _failure(kind: str, words: str) -> ProviderError:
    if kind == _POLICY or says_moderated(words):
        return ModerationBlocked(f"The app refused: {words}", charged=Charged.MAYBE)
    return ProviderRejected(f"The app failed ({kind}): {words}", charged=Charged.MAYBE)


def _problem(document: JsonObject, charged: Charged) -> ProviderError | None:
    """An input that does not fit, told as a list of problems."""
    detail = document.get("detail")
    problems = [one for one in detail if isinstance(one, dict)] if isinstance(detail, list) else []
    if not problems:
        return None
    words = _words(document)
    if any(problem.get("type") == _POLICY for problem in problems):
        return ModerationBlocked(f"The app refused: {words}", charged=charged)
    return InvalidInput(f"The app does not take the input: {words}", charged=charged)


def _words(document: JsonObject) -> str:
    detail = next((value for name in ("detail", "message", "error") if (value := document.get(name))), None)
    items = detail if isinstance(detail, list) else [detail]
    return "; ".join(words for one in items if (words := _line(one)))[:_LENGTH]


def _line(problem: JsonValue) -> str:
    """One problem: `body/prompt: Field required`."""
    if not isinstance(problem, dict):
        return plain_text(problem)
    loc = problem.get("loc")
    place = "/".join(plain_text(part) for part in loc) if isinstance(loc, list) else plain_text(loc)
    words = plain_text(problem.get("msg")) or plain_text(problem.get("message")) or plain_text(problem.get("type"))
    return f"{place}: {words}" if place else words
