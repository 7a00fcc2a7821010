"""One message to one receiver over a connection of its own.

Not by the client that talks to vendors: a receiver is anybody, its status line decides although what follows may
be broken, and no more of it is read than fits in a bound, whatever it sends.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohappyeyeballs
from aiohttp.abc import ResolveResult
from yarl import URL

from genpulse.adapters.webhooks.response_head import Head, NoAnswer
from genpulse.addresses.proxies import Proxy

CONNECT_S = 5.0
CONNECT_BY_PROXY_S = 10.0
"""Seconds until a proxy has made a way: it asks for the name and connects by itself."""

ANSWER_S = 15.0
REST_S = 1.0
"""Seconds for what follows the status line."""

REST_BYTES = 64 * 1024
_SECOND_ADDRESS_S = 0.25
_PROXY_LOGIN = 407


class CannotConnect(OSError):
    """The connection could not be made."""


class NoConnection(CannotConnect):
    """The connection could not be made in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: `resource` is path and query, `authority` host and port as in the URL."""

    host: str
    port: int
    is_secure: bool
    authority: str
    resource: str

    @property
    def place(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, url: str) -> "Target":
        """Raises `ValueError` where it is no URL of HTTP."""
        parsed = URL(url)
        if parsed.scheme not in {"http", "https"} or not parsed.raw_host or not parsed.port:
            raise ValueError("the address is no URL that begins with http:// or https:// and names a host")
        target = cls(
            host=parsed.raw_host,
            port=parsed.port,
            is_secure=parsed.scheme == "https",
            authority=parsed.host_port_subcomponent or "",
            resource=parsed.raw_path_qs or "/",
        )
        if not all("!" <= each <= "~" for each in target.authority + target.resource):
            raise ValueError("the address has characters that no URL has")
        return target


@dataclass(frozen=True, slots=True)
class NetworkRoute:
    """The addresses to connect to: those of the receiver, or of the `proxy` where there is one."""

    addresses: Sequence[ResolveResult]
    proxy: Proxy | None = None

    @property
    def connect_s(self) -> float:
        """Seconds for the connection."""
        return CONNECT_S if self.proxy is None else CONNECT_BY_PROXY_S


async def post(
    target: Target,
    route: NetworkRoute,
    headers: Mapping[str, str],
    body: bytes,
    tls: ssl.SSLContext,
    answer_s: float = ANSWER_S,
) -> Head:
    """Send it and return the answer's head, of which the status is known.

    Raises `CannotConnect`, `NoAnswer`, `OSError`, and `TimeoutError` after `answer_s` seconds without a status
    line.
    """
    transport, exchange = await _connect(target, route, tls)
    proxy = None if target.is_secure else route.proxy
    try:
        transport.write(_request(target, headers, body, proxy))
        async with asyncio.timeout(answer_s):
            await exchange.status()
        await exchange.rest()
    finally:
        transport.abort()
    head = exchange.answer_head()
    if proxy is not None and head.status == _PROXY_LOGIN:
        raise CannotConnect(proxy.refusal(target.place, head.status, head.reason))
    return head


def _request(target: Target, headers: Mapping[str, str], body: bytes, proxy: Proxy | None) -> bytes:
    """The request; a proxy gets the whole URL in the request line (RFC 9112, 3.2.2)."""
    resource = f"http://{target.authority}{target.resource}" if proxy else target.resource
    login = proxy.headers if proxy else {}
    plain = {"Host": target.authority, **login, **headers, "Content-Length": str(len(body)), "Connection": "close"}
    return _head(f"POST {resource} HTTP/1.1", plain) + body


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _connect(
    target: Target, route: NetworkRoute, tls: ssl.SSLContext
) -> tuple[asyncio.Transport, "_Exchange"]:
    """Connect to the first address that answers, through the proxy where there is one."""
    proxy = route.proxy
    host, port = (proxy.host, proxy.port) if proxy else (target.host, target.port)
    is_secure = proxy.scheme == "https" if proxy else target.is_secure
    has_come_to_proxy = False
    try:
        async with asyncio.timeout(route.connect_s):
            transport, exchange = await _open(route, host, port, tls if is_secure else None)
            has_come_to_proxy = proxy is not None
            if proxy is not None and target.is_secure:
                return await _tunnel(transport, exchange, target, proxy, tls)
            return transport, exchange
    except TimeoutError as error:
        by = f" by the proxy {proxy}" if proxy else ""
        raise NoConnection(f"no connection to {target.place}{by} within {route.connect_s:g} s") from error
    except CannotConnect:
        raise
    except (OSError, ssl.CertificateError, NoAnswer) as error:
        why = str(error) or type(error).__name__
        if proxy is not None and not (has_come_to_proxy and isinstance(error, ssl.SSLError)):
            raise CannotConnect(proxy.absence(target.place, why)) from error
        raise CannotConnect(f"Cannot connect to {target.place}: {why}") from error


async def _open(
    route: NetworkRoute, host: str, port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.Transport, "_Exchange"]:
    loop = asyncio.get_running_loop()
    infos = [(each["family"], 1, 6, "", _socket_address(each, port)) for each in route.addresses]
    sock = await aiohappyeyeballs.start_connection(
        infos, happy_eyeballs_delay=_SECOND_ADDRESS_S, interleave=1, loop=loop
    )
    return await loop.create_connection(
        _Exchange, sock=sock, ssl=tls, server_hostname=host if tls is not None else None
    )


async def _tunnel(
    transport: asyncio.Transport, exchange: "_Exchange", target: Target, proxy: Proxy, tls: ssl.SSLContext
) -> tuple[asyncio.Transport, "_Exchange"]:
    """Make a TLS connection through the proxy (CONNECT: RFC 9110, 9.3.6)."""
    authority = f"[{target.host}]:{target.port}" if ":" in target.host else target.place
    try:
        transport.write(_head(f"CONNECT {authority} HTTP/1.1", {"Host": authority, **proxy.headers}))
        await exchange.head_has_come()
        head = exchange.answer_head()
        if head.status is None or not 200 <= head.status < 300:
            raise CannotConnect(proxy.refusal(target.place, head.status or 0, head.reason))
        if not head.complete:
            raise NoAnswer("it closed the connection in the middle of its answer's head")
        inner = _Exchange()
        through = await asyncio.get_running_loop().start_tls(transport, inner, tls, server_hostname=target.host)
    except BaseException:
        transport.abort()
        raise
    if through is None:
        raise NoAnswer("the connection was closed while it was made secure")
    return through, inner


def _socket_address(address: ResolveResult, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    return (address["host"], port, 0, 0) if ":" in address["host"] else (address["host"], port)


class _Exchange(asyncio.Protocol):
    """Reads the head of a response and a bounded part of its body."""

    def __init__(self) -> None:
        self.head = Head()
        self._ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer."""
        try:
            self.head.feed(data)
        except NoAnswer as error:
            self._end(error)
        self._changed.set()

    def eof_received(self) -> None:
        """The other side sends no more."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        self._error = self._error or error
        self._ended = True
        self._changed.set()

    async def status(self) -> None:
        """Wait until the status is known, or the connection has ended."""
        while self.head.status is None and not self._ended:
            self._changed.clear()
            await self._changed.wait()

    async def head_has_come(self) -> None:
        """Wait until the head is complete, or the connection has ended."""
        while not (self.head.complete or self._ended):
            self._changed.clear()
            await self._changed.wait()

    async def rest(self) -> None:
        """Wait for the body up to a bound, so that a usual response is not cut off."""
        try:
            async with asyncio.timeout(REST_S):
                while not (self._ended or self.head.has_ended or self.head.body_bytes > REST_BYTES):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    def answer_head(self) -> Head:
        """The head. Raises what has ended the connection before there was a status."""
        if self.head.status is not None:
            return self.head
        if self._error is not None:
            raise self._error
        raise NoAnswer("the connection was closed without an answer")
