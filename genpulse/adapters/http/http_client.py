"""The one HTTP client of a process, on aiohttp."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from genpulse.adapters.http.download import Download, Sessions
from genpulse.adapters.http.errors import never_sent, words
from genpulse.adapters.http.late import LateFiles
from genpulse.adapters.http.proxied_request import Way, open_ways
from genpulse.adapters.http.socket import VendorSocket
from genpulse.adapters.network.name_resolver import NameResolver
from genpulse.adapters.network.public_address import NamesByProxy, PublicResolver, public_socket
from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.domain.errors import ProviderUnavailable, ProviderUnreachable
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.text.storable import unsigned
from genpulse.provider.http import PUBLIC, AnswerLost, AnswerTooLarge, AnswerUnusable, Reach, Reply, Request
from genpulse.provider.http.address import exact, origin

CONNECT_S = 10.0
_KEEP_S = 30.0
_FIELD_BYTES = 1 << 15
"""How long one header may be; a signed URL in a redirect has more than the usual 8 KB in some clouds."""


class HttpClient:
    """Implements `Http`. Opens nothing before the first request; close it with `close()`.

    Names are asked for at `name_servers` (`address:port`); at those of the system when there are none. A file that
    a vendor has just named may be missing for `missing_s` seconds. What `proxies` are for goes by them. `tls` says
    whose certificates are trusted; None: those that the system trusts.
    """

    def __init__(
        self,
        version: str,
        *,
        name_servers: Sequence[str] = (),
        missing_s: float = Bounds().missing_s,
        proxies: Proxies = NO_PROXIES,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._headers = {"User-Agent": f"GenPulse/{version}"}
        self._proxies = proxies
        self._tls = tls
        self._late = LateFiles(missing_s)
        self._name_servers = name_servers
        self._resolvers: tuple[AbstractResolver | NamesByProxy, ...] = ()
        self._reusing: aiohttp.ClientSession | None = None
        self._single: aiohttp.ClientSession | None = None
        self._public: aiohttp.ClientSession | None = None
        self._by_proxy = NamesByProxy(name_servers)

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status."""
        session = self._sessions()[1 if request.own_connection else 0]
        address = _address(request)
        way = Way(address, self._proxies)
        try:
            if not request.form:
                return await _reply(session, request, address, way)
            async with AsyncExitStack() as files:
                return await _reply(session, request, address, way, _form(request, files))
        except AnswerLost:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _as_ours(error, request.url, way) from error

    async def fetch_public(
        self, url: str, *, reach: Reach = PUBLIC, limit_bytes: int | None = None, is_fresh: bool = False
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that somebody else has named, without any credentials."""
        download = self._download(reach, limit_bytes)
        async for chunk in download.chunks(url, is_fresh=is_fresh):
            yield chunk

    async def fetch_own(
        self, url: str, *, headers: Mapping[str, str], reach: Reach = PUBLIC, limit_bytes: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that the adapter itself has built, with the account's headers."""
        download = self._download(reach, limit_bytes)
        async for chunk in download.chunks(url, is_fresh=True, credentials=headers):
            yield chunk

    def _download(self, reach: Reach, limit_bytes: int | None) -> Download:
        reusing, _, public = self._sessions()
        return Download(Sessions(reusing, public, self._by_proxy, self._proxies), reach, limit_bytes, self._late)

    @asynccontextmanager
    async def websocket(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[VendorSocket]:
        """A WebSocket."""
        session = self._sessions()[0]
        way: Way | None = None
        try:
            address = exact(url)
            way = Way(address, self._proxies)
            timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
            socket = await session.ws_connect(
                address,
                headers={**headers, **way.headers},
                heartbeat=20.0,
                max_msg_size=0,
                timeout=timeout,
                **way.proxy_options,
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            why = (way.why_refused(error) if way else "") or words(error)
            raise ProviderUnavailable(f"No WebSocket to {_place(url)}: {why}") from error
        try:
            yield VendorSocket(socket)
        finally:
            await socket.close()

    def _sessions(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession, aiohttp.ClientSession]:
        """One that keeps connections, one that opens a new one each time, one for public addresses alone."""
        if self._reusing is None or self._single is None or self._public is None:
            inside = NameResolver(asks_system=True, servers=self._name_servers)
            public = PublicResolver(NameResolver(servers=self._name_servers))
            self._resolvers = (inside, public, self._by_proxy)
            self._reusing = self._session(resolver=inside, keepalive_timeout=_KEEP_S)
            self._single = self._session(resolver=inside, force_close=True)
            self._public = self._session(resolver=public, use_dns_cache=False, socket_factory=public_socket)
        return self._reusing, self._single, self._public

    def _session(self, **options: Any) -> aiohttp.ClientSession:
        if self._tls is not None:
            options["ssl"] = self._tls
        return aiohttp.ClientSession(
            trace_configs=[open_ways()] if any(self._proxies) else None,
            connector=aiohttp.TCPConnector(limit=0, **options),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_field_size=_FIELD_BYTES,
        )

    async def close(self) -> None:
        """Close all connections."""
        for session in (self._reusing, self._single, self._public):
            if session is not None:
                await session.close()
        for resolver in self._resolvers:
            await resolver.close()
        self._reusing = self._single = self._public = None
        self._resolvers = ()


async def _reply(
    session: aiohttp.ClientSession, request: Request, address: URL, way: Way, form: aiohttp.FormData | None = None
) -> Reply:
    """Raises whatever aiohttp does."""
    async with session.request(
        request.method,
        address,
        headers={**request.headers, **way.headers} if way.headers else request.headers,
        json=request.json if form is None else None,
        data=form,
        allow_redirects=False,
        timeout=_limits(request.timeout_s, way.connect_s),
        **way.options,
    ) as answer:
        if why := way.refusal_in(answer.status, answer.reason or ""):
            raise ProviderUnreachable(_sentence(why))
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status, headers, await _body(answer, request.limit_bytes))


def _as_ours(error: Exception, url: str, way: Way) -> Exception:
    """The error of ours that one of aiohttp's means: the request was never sent, or may have been received."""
    if why := way.why_barred(error):
        return ProviderUnreachable(_sentence(why))
    if never_sent(error) or way.is_barred:
        return ProviderUnreachable(f"{_place(url)} cannot be reached: {words(error)}")
    return AnswerLost(f"{_place(url)} was asked and gave no answer: {words(error)}")


@lru_cache(maxsize=64)
def _limits(total_s: float, connect_s: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, sock_connect=CONNECT_S, connect=connect_s)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _address(request: Request) -> URL:
    try:
        return exact(request.address)
    except ValueError as error:
        raise ProviderUnreachable(
            f"{unsigned(request.url)[:200]!r} cannot be asked, as {error}. Is base_url right?"
        ) from error


def _place(url: str) -> str:
    """The address for messages, without its secrets."""
    try:
        return origin(exact(url))
    except ValueError:
        return "the address"


async def _body(answer: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """All of a success; as much of a refusal as can be had, since its status says enough."""
    chunks: list[bytes] = []
    size = 0
    is_success = 200 <= answer.status < 300
    try:
        while chunk := await answer.content.readany():
            size += len(chunk)
            if size > limit_bytes:
                break
            chunks.append(chunk)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if is_success:
            raise AnswerUnusable(f"The answer ({answer.status}) cannot be read: {words(error)}") from error
    if is_success and size > limit_bytes:
        raise AnswerTooLarge(f"The answer ({answer.status}) is larger than {limit_bytes:,} bytes.")
    return b"".join(chunks)


def _form(request: Request, files: AsyncExitStack) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for part in request.form:
        content: str | bytes | IO[bytes]
        content = files.enter_context(part.content.open("rb")) if isinstance(part.content, Path) else part.content
        form.add_field(part.name, content, filename=part.filename, content_type=part.media_type)
    return form
