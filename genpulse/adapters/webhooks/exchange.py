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

from genpulse.adapters.webhooks.head import Head, NoAnswer

CONNECT_S = 5.0
ANSWER_S = 15.0
REST_S = 1.0
"""Seconds for what follows the status line."""

REST_BYTES = 64 * 1024
_SECOND_ADDRESS_S = 0.25


class CannotConnect(OSError):
    """There is no connection, and why."""


class NoConnection(CannotConnect):
    """There was none in all the time that there is for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: `resource` is path and query, `authority` host and port as in the URL."""

    host: str
    port: int
    is_secure: bool
    authority: str
    resource: str

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


async def post(
    target: Target,
    addresses: Sequence[ResolveResult],
    headers: Mapping[str, str],
    body: bytes,
    tls: ssl.SSLContext,
    answer_s: float = ANSWER_S,
) -> Head:
    """Send it and return the answer's head, of which the status is known.

    Raises `CannotConnect`, `NoAnswer`, `OSError`, and `TimeoutError` after `answer_s` seconds without a status
    line.
    """
    exchange = _Exchange()
    transport = await _connected(target, addresses, exchange, tls)
    try:
        transport.write(_request(target, headers, body))
        async with asyncio.timeout(answer_s):
            await exchange.status()
        await exchange.rest()
    finally:
        transport.abort()
    return exchange.answered()


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    plain = {"Host": target.authority, **headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"POST {target.resource} HTTP/1.1", *(f"{name}: {value}" for name, value in plain.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


async def _connected(
    target: Target, addresses: Sequence[ResolveResult], exchange: "_Exchange", tls: ssl.SSLContext
) -> asyncio.Transport:
    """To the first of these very addresses that answers."""
    loop = asyncio.get_running_loop()
    found = [(each["family"], 1, 6, "", _socket_address(each, target.port)) for each in addresses]
    try:
        async with asyncio.timeout(CONNECT_S):
            sock = await aiohappyeyeballs.start_connection(
                found, happy_eyeballs_delay=_SECOND_ADDRESS_S, interleave=1, loop=loop
            )
            transport, _ = await loop.create_connection(
                lambda: exchange,
                sock=sock,
                ssl=tls if target.is_secure else None,
                server_hostname=target.host if target.is_secure else None,
            )
    except TimeoutError as error:
        raise NoConnection(f"no connection to {target.host}:{target.port} within {CONNECT_S:g} s") from error
    except (OSError, ssl.CertificateError) as error:
        raise CannotConnect(
            f"Cannot connect to {target.host}:{target.port}: {str(error) or type(error).__name__}"
        ) from error
    return transport


def _socket_address(address: ResolveResult, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    return (address["host"], port, 0, 0) if ":" in address["host"] else (address["host"], port)


class _Exchange(asyncio.Protocol):
    """Reads as far as is of interest, and never more than a bound."""

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
        """Nor does it hear."""
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        self._error = self._error or error
        self._ended = True
        self._changed.set()

    async def status(self) -> None:
        """Wait until it is known, or will never be."""
        while self.head.status is None and not self._ended:
            self._changed.clear()
            await self._changed.wait()

    async def rest(self) -> None:
        """Wait for what follows, to a bound: a receiver is not cut off in the middle of a usual answer."""
        try:
            async with asyncio.timeout(REST_S):
                while not (self._ended or self.head.has_ended or self.head.body_bytes > REST_BYTES):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    def answered(self) -> Head:
        """The head. Raises what has ended the connection before there was a status."""
        if self.head.status is not None:
            return self.head
        if self._error is not None:
            raise self._error
        raise NoAnswer("the connection was closed without an answer")
