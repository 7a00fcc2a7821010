"""Fetching what a vendor has made, from where the vendor says that it is."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
from yarl import URL

from genpulse.adapters.http.errors import never_sent
from genpulse.adapters.public_address import AddressRefused, check_literal
from genpulse.domain.errors import OutputUnavailable, ProviderUnavailable
from genpulse.domain.failure import Charged
from genpulse.wire import AnswerLost

REDIRECTS = 5
STALLED_S = 60.0
_CONNECT_S = 10.0
_CHUNK = 1 << 18
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class Download:
    """One download.

    `own` is the vendor's base URL: its scheme, host and port are reached wherever they lie, and get `headers`. All
    else has to be https on a public address, and gets none.
    """

    def __init__(
        self,
        inside: aiohttp.ClientSession,
        public: aiohttp.ClientSession,
        own: URL,
        headers: Mapping[str, str],
        limit_bytes: int | None,
    ) -> None:
        self._inside = inside
        self._public = public
        self._own = own
        self._headers = headers
        self._limit_bytes = limit_bytes

    async def chunks(self, address: str) -> AsyncIterator[bytes]:
        """The content, from wherever at most five redirects lead."""
        url = _joined(self._own, address)
        for _ in range(REDIRECTS + 1):
            async with self._opened(url) as answer:
                if answer.status in {301, 302, 303, 307, 308}:
                    url = _joined(url, answer.headers.get("Location", ""))
                    continue
                self._check(answer)
                async for chunk in self._content(answer):
                    yield chunk
                return
        raise _gone(f"its address redirects more than {REDIRECTS} times")

    def _opened(self, url: URL) -> "_Opened":
        if (url.scheme, url.host, url.port) == (self._own.scheme, self._own.host, self._own.port):
            return _Opened(self._inside, url, self._headers)
        if url.scheme != "https" or not url.host:
            raise _gone(f"its address ({url.scheme}://{url.host or ''}) is neither https nor that of the provider")
        try:
            check_literal(url.host)
        except AddressRefused as error:
            raise _gone(str(error)) from error
        return _Opened(self._public, url, {})

    def _check(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status in _PASSING:
            raise ProviderUnavailable(f"The output cannot be fetched at present ({answer.status}).")
        if answer.status != 200:
            raise _gone(f"its address answers {answer.status}")
        if answer.content_type == "text/html":
            raise _gone("its address shows a page of HTML")
        announced = answer.content_length
        if self._limit_bytes is not None and announced is not None and announced > self._limit_bytes:
            raise _gone(f"it has {announced:,} bytes, and {self._limit_bytes:,} are allowed")

    async def _content(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in answer.content.iter_chunked(_CHUNK):
                size += len(chunk)
                if self._limit_bytes is not None and size > self._limit_bytes:
                    raise _gone(f"it has more than {self._limit_bytes:,} bytes")
                yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise AnswerLost(f"the output broke off after {size:,} bytes: {why}") from error
        if size == 0:
            raise _gone("it is empty")


class _Opened:
    """A GET whose errors are told in our words."""

    def __init__(self, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str]) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=STALLED_S)
        self._request = session.get(url, headers=dict(headers), allow_redirects=False, timeout=timeout)

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            return await self._request.__aenter__()
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise _gone(str(error.os_error)) from error
            raise ProviderUnavailable(f"The output cannot be fetched at present: {error}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            if never_sent(error):
                raise ProviderUnavailable(f"The output cannot be fetched at present: {error}") from error
            raise AnswerLost(f"the output did not come: {str(error) or type(error).__name__}") from error

    async def __aexit__(self, *error: object) -> None:
        await self._request.__aexit__(None, None, None)


def _joined(base: URL, address: str) -> URL:
    try:
        return base.join(URL(address))
    except ValueError as error:
        raise _gone(f"its address cannot be read ({error})") from error


def _gone(why: str) -> OutputUnavailable:
    return OutputUnavailable(f"The provider has made an output that cannot be taken: {why}.", charged=Charged.YES)
