"""A vendor's account over HTTP: where it is, how we show who we are, and what its answers mean.

Most adapters need no more than an `Account` and a function that tells their vendor's refusals apart.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    UnknownOutcome,
)
from genpulse.domain.json_value import JsonValue
from genpulse.wire import ANSWER_BYTES, AnswerLost, Http, Part, Reply, Request

ORDER_S = 300.0
QUESTION_S = 60.0
UPLOAD_S = 600.0
_PASSING = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})

Explain = Callable[[Reply], ProviderError | None]
"""What a refusal means where the status alone does not tell; None leaves it to the status."""


def _nothing(_: Reply) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a vendor. `base_url` has no slash at its end; `headers` go to that very host alone.

    `query` is put behind every address, where a vendor wants that.
    """

    http: Http
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    explain: Explain = _nothing
    query: Mapping[str, str] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        query: Mapping[str, str] | None = None,
        limit_bytes: int = ANSWER_BYTES,
        explain: Explain | None = None,
    ) -> Reply:
        """A request that may be made again: the answer, when it is no refusal.

        `explain` goes before the account's own. Raises a `ProviderError` (a retryable one when the vendor is
        away), `AnswerLost`.
        """
        request = self._request(method, path, json, (), QUESTION_S)
        request = replace(request, query={**self.query, **(query or {})}, limit_bytes=limit_bytes)
        reply = await self.http.send(request)
        if explain is not None and not reply.ok and (error := explain(reply)):
            raise error
        return self._checked(reply)

    async def order(
        self,
        path: str,
        *,
        json: JsonValue = None,
        form: tuple[Part, ...] = (),
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        timeout_s: float = ORDER_S,
        limit_bytes: int = ANSWER_BYTES,
    ) -> Reply:
        """A POST that costs money: sent once.

        Raises a `ProviderError` where the vendor has definitely refused it, `UnknownOutcome` where it answers that
        it has failed itself, `AnswerLost` where it does not answer.
        """
        request = self._request("POST", path, json, form, timeout_s)
        request = replace(
            request,
            headers={**request.headers, **(headers or {})},
            query={**self.query, **(query or {})},
            own_connection=True,
            limit_bytes=limit_bytes,
        )
        reply = await self.http.send(request)
        if reply.status in _PASSING and self.explain(reply) is None:
            raise UnknownOutcome(
                f"The provider was asked and answered {reply.status}: {reply.excerpt()} It may have taken the job:"
                " look into its own list before this task is run again."
            )
        return self._checked(reply)

    async def upload(self, path: str, form: tuple[Part, ...], timeout_s: float = UPLOAD_S) -> Reply:
        """Bring a file that a later order refers to. Raises a `ProviderError`, as nothing is paid for yet."""
        try:
            return self._checked(await self.http.send(self._request("POST", path, None, form, timeout_s)))
        except AnswerLost as error:
            raise ProviderUnavailable(f"The input could not be brought to the provider: {error}") from error

    def download(self, url: str, limit_bytes: int | None = None) -> AsyncIterator[bytes]:
        """What the vendor has made. Raises as `Http.download` does."""
        return self.http.download(url, own=self.base_url, headers=self.headers, limit_bytes=limit_bytes)

    def _request(
        self, method: str, path: str, json: JsonValue, form: tuple[Part, ...], timeout_s: float
    ) -> Request:
        url = path if path.startswith(f"{self.base_url}/") else f"{self.base_url}{path}"
        return Request(method, url, self.headers, json=json, form=form, timeout_s=timeout_s)

    def _checked(self, reply: Reply) -> Reply:
        if reply.ok:
            return reply
        raise self.explain(reply) or refusal(reply)


def refusal(reply: Reply, words: str | None = None) -> ProviderError:
    """What a status means by itself. `words` are the vendor's own, if they were found in the answer."""
    said = words or reply.excerpt() or "(no words)"
    message = f"The provider answered {reply.status}: {said}"
    match reply.status:
        case 400 | 413 | 415 | 422:
            return InvalidInput(message)
        case 401 | 403:
            return AuthenticationFailed(message)
        case 402:
            return QuotaExhausted(message)
        case 429:
            return RateLimited(message, retry_after_s=retry_after_s(reply))
        case status if status in _PASSING:
            return ProviderUnavailable(message, retry_after_s=retry_after_s(reply))
        case status if 300 <= status < 400:
            where = reply.headers.get("location", "")
            return ProviderRejected(f"The provider answered {status} and points to {where!r}: is base_url right?")
        case _:
            return ProviderRejected(message)


def retry_after_s(reply: Reply) -> float | None:
    """Seconds that the vendor asks to wait: `Retry-After` as a number or a date, or `retry-after-ms`."""
    milliseconds = reply.headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", milliseconds):
        return float(milliseconds) / 1000
    text = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
