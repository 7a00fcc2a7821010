"""Classification of refusals: of an order, and of a question."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
)
from genpulse.domain.failure import FailureCode
from genpulse.provider.http import AnswerLost, Reply
from genpulse.provider.refusal_words import names_key, says_no_credit

Explain = Callable[[Reply], ProviderError | None]
"""What a refusal means where the status alone does not tell; None leaves it to the status."""

_OPEN = frozenset({408, 409, 423, 425, 429, 460, 499})
"""Refusals that do not prove that nothing was taken: the server gave up, is at it, or was left by a proxy."""
_OF_THE_ACCOUNT = frozenset(
    {FailureCode.AUTHENTICATION_FAILED, FailureCode.QUOTA_EXHAUSTED, FailureCode.RATE_LIMITED}
)
_log = logging.getLogger(__name__)
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?")


def proves(reply: Reply, early: frozenset[int]) -> bool:
    """Whether an answer to an order proves that nothing was taken. `early`: what is decided before the queue."""
    return reply.status in early or (400 <= reply.status < 500 and reply.status not in _OPEN)


def meaning(reply: Reply, *explains: Explain) -> ProviderError:
    """Classify a refusal: by the first explanation that is not None, else by the status."""
    for explain in explains:
        try:
            error = explain(reply)
        except AnswerLost:
            continue
        except Exception:  # noqa: BLE001 - the status says enough, whatever the words are like
            _log.exception("the words of an answer (%s) cannot be explained", reply.status)
            continue
        if error is not None:
            return error
    return refusal(reply)


def question(reply: Reply, error: ProviderError) -> QuestionRefused:
    """Turn a refusal into the answer to a question about an order, of which it says nothing."""
    code = error.failure.code
    if is_passing(reply.status):
        because = FailureCode.PROVIDER_UNAVAILABLE
    else:
        because = code if code in _OF_THE_ACCOUNT else FailureCode.PROVIDER_REJECTED
    wait_s = error.retry_after_s if error.retry_after_s is not None else retry_after_s(reply)
    return QuestionRefused(
        error.message,
        because=because,
        missing=reply.status in {404, 410},
        denied=reply.status in {401, 402, 403},
        retry_after_s=wait_s,
    )


def is_passing(status: int) -> bool:
    """Whether a status tells of a trouble that passes by itself."""
    return status >= 500 or status in {408, 425}


def refusal(reply: Reply, words: str | None = None) -> ProviderError:
    """Classify a refusal by its status. `words` are the vendor's own, if they were found in the answer.

    A 403 is about credit or the key only where its words say so: else it may be one model that this account may
    not use.
    """
    text = words or reply.excerpt() or "(no words)"
    message = f"The provider answered {reply.status}: {text}"
    match reply.status:
        case 400 | 413 | 415 | 422:
            return InvalidInput(message)
        case 401:
            return AuthenticationFailed(message)
        case 403 if says_no_credit(text):
            return QuotaExhausted(message)
        case 403 if names_key(text):
            return AuthenticationFailed(message)
        case 402:
            return QuotaExhausted(message)
        case 429:
            return RateLimited(message, retry_after_s=retry_after_s(reply))
        case status if is_passing(status):
            return ProviderUnavailable(message, retry_after_s=retry_after_s(reply))
        case status if 300 <= status < 400:
            where = reply.headers.get("location", "").partition("?")[0]
            return ProviderRejected(f"The provider answered {status} and points to {where!r}: is base_url right?")
        case _:
            return ProviderRejected(message)


def retry_after_s(reply: Reply) -> float | None:
    """Seconds that the vendor asks to wait: `Retry-After` as a number or a date, or `retry-after-ms`."""
    milliseconds = reply.headers.get("retry-after-ms", "")
    if _SECONDS.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    text = reply.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
