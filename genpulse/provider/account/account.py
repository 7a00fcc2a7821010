"""An account, and what is asked and ordered with it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from genpulse.domain.errors import (
    ProviderUnavailable,
    UnknownOutcome,
)
from genpulse.domain.json.value import JsonValue
from genpulse.provider.account.fetched import Fetched
from genpulse.provider.account.refusals import Explain, meaning, proves, question
from genpulse.provider.http import ANSWER_BYTES, AnswerLost, Http, Part, Reach, Reply, Request
from genpulse.provider.http.address import exact, is_under, origin, plain_path, raw_path
from genpulse.provider.inputs.named_file import fetch_named_file

ORDER_S = 300.0
QUESTION_S = 60.0
UPLOAD_S = 600.0
_SECRET_LENGTH = 8
"""A key that is shorter is not looked for in words: it would be found in any text."""
_WORDS_BYTES = 1 << 20
"""A success that is larger is a file, and no words."""


def _nothing(_: Reply) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a vendor. `base_url` has no slash at its end; `headers` go to that very host alone.

    `query` is put behind every address, where a vendor wants that. `early` are the statuses beside the plain 4xx
    by which the vendor refuses an order before it takes it.

    `result_paths` are prefixes of paths at the vendor's own host where it serves results to whoever has the key;
    `api_paths` those where it answers about the account, and from where no result is taken, None for all below
    `base_url`. `allowed_hosts` are names, perhaps with `:port`, from where results are taken wherever they lie.

    `traced`: the vendor takes the W3C trace context of a task (`traceparent`, `tracestate`) with what it is asked.
    """

    http: Http
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    explain: Explain = _nothing
    query: Mapping[str, str] = field(default_factory=dict)
    early: frozenset[int] = frozenset({429})
    result_paths: tuple[str, ...] = ()
    api_paths: tuple[str, ...] | None = None
    allowed_hosts: frozenset[str] = frozenset()
    traced: bool = False
    _secrets: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = (value.split()[-1] for value in self.headers.values() if value.strip())
        secrets = tuple(
            secret.encode("utf-8", "surrogateescape") for secret in values if len(secret) >= _SECRET_LENGTH
        )
        object.__setattr__(self, "_secrets", secrets)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        query: Mapping[str, str] | None = None,
        limit_bytes: int = ANSWER_BYTES,
        of_job: Explain | None = None,
    ) -> Reply:
        """A question about an order, which may be asked again: the answer, when it is no refusal.

        `of_job` reads what some vendors tell about the job itself by a status that refuses; what it gives is
        raised as it is. Raises `QuestionRefused` for any other refusal, `ProviderUnreachable`, `AnswerLost`.
        """
        reply = await self._asked(method, path, json, query, limit_bytes)
        if reply.ok:
            return reply
        if of_job is not None and (error := of_job(reply)) is not None:
            raise error
        raise question(reply, meaning(reply, self.explain))

    async def probe(self, method: str, path: str, *, query: Mapping[str, str] | None = None) -> Reply:
        """A question about the account itself. Raises the `ProviderError` that its refusal means, `AnswerLost`."""
        return self._checked(await self._asked(method, path, None, query, ANSWER_BYTES))

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

        Raises a plain `ProviderError` only where the answer proves that nothing was taken, `UnknownOutcome` for
        any other refusal, whatever its words are, and `AnswerLost` where there is no answer.
        """
        request = replace(
            self._request("POST", path, query, json=json, form=form, timeout_s=timeout_s),
            headers={**self.headers, **(headers or {})},
            own_connection=True,
            limit_bytes=limit_bytes,
        )
        reply = await self._sent(request)
        if reply.ok or proves(reply, self.early):
            return self._checked(reply)
        words = meaning(reply, self.explain).message
        raise UnknownOutcome(
            f"The provider was asked and answered {reply.status}, which does not say that the job was not taken:"
            f" {words} Look into the provider's own list of jobs before this task is run again."
        )

    async def upload(self, path: str, form: tuple[Part, ...], timeout_s: float = UPLOAD_S) -> Reply:
        """Bring a file that a later order refers to. Raises a `ProviderError`, as nothing is paid for yet."""
        try:
            return self._checked(await self._sent(self._request("POST", path, form=form, timeout_s=timeout_s)))
        except AnswerLost as error:
            raise ProviderUnavailable(f"The input could not be brought to the provider: {error}") from error

    def serves(self, url: str) -> bool:
        """Whether results lie there: at one of `result_paths`, or on one of `allowed_hosts`."""
        try:
            return self._is_result(url) or Reach(self.allowed_hosts).covers(exact(url))
        except ValueError:
            return False

    def fetch_public(self, url: str, limit_bytes: int | None = None) -> Fetched:
        """A result, from where the vendor or a model's output says that it is; that may be a stranger's word.

        The key goes along to one of `result_paths` alone. Iterating raises as `Http.fetch_public`.
        """
        if self._is_result(url):
            return self._fetched_own(url, limit_bytes)
        return Fetched(
            lambda: self.http.fetch_public(url, reach=self._reach(), limit_bytes=limit_bytes, is_fresh=True)
        )

    def fetch_own(
        self, path: str, *, query: Mapping[str, str] | None = None, limit_bytes: int | None = None
    ) -> Fetched:
        """A file at the vendor's own host, by a path that the plug-in itself has built, with the key.

        No part of the path may be an address that somebody else has written; quote the ids in it. A redirect is
        followed without the key. Iterating raises as `Http.fetch_own`.
        """
        return self._fetched_own(self._request("GET", path, query).address, limit_bytes)

    async def fetch_input(self, url: str, limit_bytes: int = ANSWER_BYTES) -> bytes:
        """A file that a caller names: from a public address over https, and without any credentials.

        What is away at the moment is asked for three times. Raises `InvalidInput` where it cannot be had: whoever
        names a host that is away says nothing about the vendor, whose account others use as well.
        """

        async def fetch() -> bytes:
            return b"".join([chunk async for chunk in self.http.fetch_public(url, limit_bytes=limit_bytes)])

        return await fetch_named_file(url, fetch)

    def _fetched_own(self, url: str, limit_bytes: int | None) -> Fetched:
        def opened() -> AsyncIterator[bytes]:
            return self.http.fetch_own(url, headers=self.headers, reach=self._reach(), limit_bytes=limit_bytes)

        return Fetched(opened)

    def _is_result(self, url: str) -> bool:
        """Whether it lies below a result path, however a server may read it."""
        try:
            target, own = exact(url), exact(self.base_url)
            paths = raw_path(target), plain_path(target)
        except ValueError:
            return False
        if origin(target) != origin(own) or target.raw_authority.rpartition("@")[0]:
            return False
        return any(all(is_under(path, prefix) for path in paths) for prefix in self.result_paths)

    def _reach(self) -> Reach:
        below = urlsplit(self.base_url).path or "/"
        return Reach(self.allowed_hosts, self.base_url, (below,) if self.api_paths is None else self.api_paths)

    async def _asked(
        self, method: str, path: str, json: JsonValue, query: Mapping[str, str] | None, limit_bytes: int
    ) -> Reply:
        return await self._sent(self._request(method, path, query, json=json, limit_bytes=limit_bytes))

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        json: JsonValue = None,
        form: tuple[Part, ...] = (),
        timeout_s: float = QUESTION_S,
        limit_bytes: int = ANSWER_BYTES,
    ) -> Request:
        return Request(
            method,
            path if path.startswith(f"{self.base_url}/") else f"{self.base_url}{path}",
            self.headers,
            {**self.query, **query} if query else self.query,
            json=json,
            form=form,
            timeout_s=timeout_s,
            limit_bytes=limit_bytes,
            traced=self.traced,
        )

    async def _sent(self, request: Request) -> Reply:
        """The answer, in which nobody finds the key again, as some vendors repeat it in their words."""
        reply = await self.http.send(request)
        body = reply.body
        if reply.ok and len(body) > _WORDS_BYTES:
            return reply
        for secret in self._secrets:
            if secret in body:
                body = body.replace(secret, b"***")
        return reply if body is reply.body else replace(reply, body=body)

    def _checked(self, reply: Reply) -> Reply:
        if reply.ok:
            return reply
        raise meaning(reply, self.explain)
