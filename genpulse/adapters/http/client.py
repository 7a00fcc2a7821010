"""The one HTTP client of a process, on aiohttp."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from genpulse.adapters.http.download import Download
from genpulse.adapters.http.errors import never_sent
from genpulse.adapters.http.socket import VendorSocket
from genpulse.adapters.names import NameResolver
from genpulse.adapters.public_address import PublicResolver
from genpulse.domain.errors import ProviderUnavailable
from genpulse.wire import AnswerLost, Reply, Request

CONNECT_S = 10.0
_KEEP_S = 30.0
_CHUNK = 1 << 16


class HttpClient:
    """Implements `Http`. Opens nothing before the first request; close it with `close()`.

    Names are asked for at `name_servers` (`address:port`); at those of the system when there are none.
    """

    def __init__(self, version: str, *, name_servers: Sequence[str] = ()) -> None:
        self._headers = {"User-Agent": f"GenPulse/{version}"}
        self._name_servers = name_servers
        self._resolvers: tuple[AbstractResolver, ...] = ()
        self._kept: aiohttp.ClientSession | None = None
        self._single: aiohttp.ClientSession | None = None
        self._public: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status."""
        session = self._sessions()[1 if request.own_connection else 0]
        async with AsyncExitStack() as files:
            with _told(request.url):
                async with session.request(
                    request.method,
                    URL(request.url),
                    headers=dict(request.headers),
                    params=dict(request.query) or None,
                    json=request.json if not request.form else None,
                    data=_form(request, files) if request.form else None,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=request.timeout_s, sock_connect=CONNECT_S),
                ) as answer:
                    body = await _bounded(answer, request.limit_bytes)
                    headers = {name.lower(): value for name, value in answer.headers.items()}
                    return Reply(answer.status, headers, body)

    async def download(
        self, url: str, *, own: str, headers: Mapping[str, str], limit_bytes: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that a vendor gave us, in chunks."""
        kept, _, public = self._sessions()
        download = Download(kept, public, URL(own), headers, limit_bytes)
        async for chunk in download.chunks(url):
            yield chunk

    @asynccontextmanager
    async def websocket(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[VendorSocket]:
        """A WebSocket."""
        session = self._sessions()[0]
        try:
            timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
            socket = await session.ws_connect(
                URL(url), headers=dict(headers), heartbeat=20.0, max_msg_size=0, timeout=timeout
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ProviderUnavailable(f"No WebSocket to {_place(url)}: {_words(error)}") from error
        try:
            yield VendorSocket(socket)
        finally:
            await socket.close()

    def _sessions(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession, aiohttp.ClientSession]:
        """One that keeps connections, one that opens a new one each time, one for public addresses alone."""
        if self._kept is None or self._single is None or self._public is None:
            inside = NameResolver(asks_system=True, servers=self._name_servers)
            public = PublicResolver(NameResolver(servers=self._name_servers))
            self._resolvers = (inside, public)
            self._kept = self._session(resolver=inside, keepalive_timeout=_KEEP_S)
            self._single = self._session(resolver=inside, force_close=True)
            self._public = self._session(resolver=public, use_dns_cache=False)
        return self._kept, self._single, self._public

    def _session(self, **options: Any) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, **options),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        for session in (self._kept, self._single, self._public):
            if session is not None:
                await session.close()
        for resolver in self._resolvers:
            await resolver.close()
        self._kept = self._single = self._public = None
        self._resolvers = ()


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn every way in which a request goes wrong into the two that matter: never sent, or perhaps taken."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if isinstance(error, AnswerLost):
            raise
        if never_sent(error):
            raise ProviderUnavailable(f"{_place(url)} cannot be reached: {_words(error)}") from error
        raise AnswerLost(f"{_place(url)} was asked and gave no answer: {_words(error)}") from error


def _place(url: str) -> str:
    """Where it goes, without what may be secret in it."""
    return str(URL(url).origin()) if URL(url).absolute else "the address"


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def _bounded(answer: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > limit_bytes:
            raise AnswerLost(f"The answer ({answer.status}) is larger than {limit_bytes:,} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def _form(request: Request, files: AsyncExitStack) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for part in request.form:
        content: str | bytes | IO[bytes]
        content = files.enter_context(part.content.open("rb")) if isinstance(part.content, Path) else part.content
        form.add_field(part.name, content, filename=part.filename, content_type=part.media_type)
    return form
