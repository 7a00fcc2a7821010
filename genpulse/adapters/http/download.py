"""Fetching a file from where a vendor, a model or a caller says that it is."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from genpulse.adapters.http.errors import never_sent, words
from genpulse.adapters.http.late import LateFiles
from genpulse.adapters.http.packing import unpacked
from genpulse.adapters.http.proxied_request import Way
from genpulse.adapters.network.public_address import AddressRefused, NamesByProxy, check_literal
from genpulse.addresses.proxies import Proxies
from genpulse.domain.errors import OutputUnavailable, ProviderUnavailable, QuestionRefused
from genpulse.domain.failure import Charged, FailureCode
from genpulse.provider.http import AnswerLost, Reach
from genpulse.provider.http.address import exact, joined, origin

REDIRECTS = 5
STALLED_S = 60.0
_CONNECT_S = 10.0
_CHUNK = 1 << 18
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})
_MISSING = frozenset({202, 403, 404, 410})
_GONE = frozenset({404, 410})
_OF_THE_ACCOUNT = {401: FailureCode.AUTHENTICATION_FAILED, 402: FailureCode.QUOTA_EXHAUSTED}


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of downloads: `inside` connects anywhere, `public` to public addresses alone.

    What goes by one of the `proxies` is judged by `names` in place of that.
    """

    inside: aiohttp.ClientSession
    public: aiohttp.ClientSession
    names: NamesByProxy
    proxies: Proxies


class Download:
    """One download: within `reach` from anywhere, elsewhere over https from public addresses alone."""

    def __init__(self, sessions: Sessions, reach: Reach, limit_bytes: int | None, late: LateFiles) -> None:
        self._sessions = sessions
        self._reach = reach
        self._limit_bytes = limit_bytes
        self._late = late

    async def chunks(
        self, address: str, *, is_fresh: bool, credentials: Mapping[str, str] | None = None
    ) -> AsyncIterator[bytes]:
        """The content, from wherever at most five redirects lead.

        With `credentials` the address is the adapter's own; they go to it alone, and to no redirect.
        """
        opened = self._open_own(_read(address), credentials) if credentials is not None else None
        url = _read(address)
        for _ in range(REDIRECTS + 1):
            async with opened or self._open(url) as answer:
                if answer.status in _REDIRECTS:
                    url, opened = _redirect_target(url, answer.headers.get("Location", "")), None
                    continue
                if opened is not None:
                    _check_own(answer.status)
                self._check(answer, address, is_fresh=is_fresh)
                async for chunk in self._content(answer):
                    yield chunk
                self._late.forget(address)
                return
        raise _unusable(f"its address redirects more than {REDIRECTS} times")

    def _open_own(self, url: URL, credentials: Mapping[str, str]) -> "_Get":
        return _Get(self._sessions.inside, url, credentials, self._way(url))

    def _way(self, url: URL) -> Way:
        return Way(url, self._sessions.proxies)

    def _open(self, url: URL) -> "_Get":
        if self._reach.refuses(url):
            raise _unusable("its address lies where the provider answers about the account, and not about results")
        if self._reach.covers(url):
            return _Get(self._sessions.inside, url, {}, self._way(url))
        if url.scheme != "https":
            raise _unusable(f"its address ({origin(url)}) {self._unfit}")
        try:
            check_literal(url.raw_host or "")
        except AddressRefused as error:
            raise _unusable(str(error)) from error
        way = self._way(url)
        if way.proxy is None:
            return _Get(self._sessions.public, url, {}, way)
        return _Get(self._sessions.inside, url, {}, way, self._sessions.names)

    @property
    def _unfit(self) -> str:
        if not self._reach.own:
            return "is not https"
        return (
            "is neither https nor that of the provider; an operator can allow a host"
            " (providers.<name>.options.allowed_hosts)"
        )

    def _check(self, answer: aiohttp.ClientResponse, address: str, *, is_fresh: bool) -> None:
        if answer.status >= 500 or answer.status in _PASSING:
            raise ProviderUnavailable(f"The file cannot be fetched at present ({answer.status}).")
        if answer.status in _MISSING and is_fresh and not self._late.is_hopeless(address):
            raise ProviderUnavailable(f"The file is not there yet ({answer.status}).")
        if answer.status not in {200, 203}:
            raise _unusable(f"its address answers {answer.status}")
        announced = answer.content_length
        if self._limit_bytes is not None and announced is not None and announced > self._limit_bytes:
            raise _unusable(f"it has {announced:,} bytes, and {self._limit_bytes:,} are allowed")

    async def _content(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        size = 0
        packing = answer.headers.get("Content-Encoding", "")
        try:
            async for chunk in unpacked(answer.content.iter_chunked(_CHUNK), packing):
                size += len(chunk)
                if self._limit_bytes is not None and size > self._limit_bytes:
                    raise _unusable(f"it has more than {self._limit_bytes:,} bytes")
                yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AnswerLost(f"the file broke off after {size:,} bytes: {words(error)}") from error
        if size == 0:
            raise _unusable("it is empty")


def _check_own(status: int) -> None:
    """A vendor that refuses its own path refuses whoever asks: the file is there as before."""
    if 400 <= status < 500 and status not in _PASSING | _GONE:
        raise QuestionRefused(
            f"The provider answered {status} where its file was asked for.",
            because=_OF_THE_ACCOUNT.get(status, FailureCode.PROVIDER_REJECTED),
            denied=status in {401, 402, 403},
        )


class _Get:
    """A GET whose errors are told in our words. With `names` its host is judged before."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        headers: Mapping[str, str],
        way: Way,
        names: NamesByProxy | None = None,
    ) -> None:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_S, sock_read=STALLED_S, connect=way.connect_s
        )
        self._way = way
        self._names = names
        self._host = url.raw_host or ""
        self._ask: Callable[[], Awaitable[aiohttp.ClientResponse]] = lambda: session.get(
            url,
            headers={"Accept-Encoding": "identity", **headers, **way.headers},
            allow_redirects=False,
            auto_decompress=False,
            timeout=timeout,
            **way.options,
        )
        self._answer: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            if self._names is not None:
                await self._names.check(self._host)
            self._answer = answer = await self._ask()
        except AddressRefused as error:
            raise _unusable(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise _unusable(str(error.os_error)) from error
            raise self._away(error) from error
        except ValueError as error:
            raise _unusable(f"its address cannot be asked ({words(error)})") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if never_sent(error) or self._way.is_barred:
                raise self._away(error) from error
            raise AnswerLost(f"the file did not come: {words(error)}") from error
        if why := self._way.refusal_in(answer.status, answer.reason or ""):
            answer.close()
            raise ProviderUnavailable(f"The file cannot be fetched at present: {why}")
        return answer

    def _away(self, error: Exception) -> ProviderUnavailable:
        return ProviderUnavailable(
            f"The file cannot be fetched at present: {self._way.why_barred(error) or words(error)}"
        )

    async def __aexit__(self, *error: object) -> None:
        if self._answer is not None:
            await self._answer.__aexit__(None, None, None)


def _read(address: str) -> URL:
    try:
        return exact(address)
    except ValueError as error:
        raise _unusable(f"its address cannot be read ({error})") from error


def _redirect_target(url: URL, location: str) -> URL:
    try:
        return joined(url, location)
    except ValueError as error:
        raise _unusable(f"its address redirects to what cannot be read ({error})") from error


def _unusable(why: str) -> OutputUnavailable:
    return OutputUnavailable(f"The file cannot be taken: {why}.", charged=Charged.YES)
