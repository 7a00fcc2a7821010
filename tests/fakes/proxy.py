"""A small proxy as companies have one: it makes tunnels (CONNECT), forwards plain requests, and may refuse."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from genpulse.addresses.proxies import Proxies
from tests.connections import all_closed
from tests.fakes.raw import Asked

Refusal = Callable[[Asked], bytes | None]


class FakeProxy:
    """What it is asked for leads to loopback: `ports` says to which port, by `host:port`.

    `refusal` gives the bytes with which a request is answered in place of a way; None makes one. Empty bytes close
    the connection. While `is_silent` it answers nothing; before an answer it thinks for `pause_s` seconds. With a
    `login` it wants that.
    """

    def __init__(self, ports: Mapping[str, int], login: tuple[str, str] | None = None) -> None:
        self.ports = dict(ports)
        self.login = login
        self.refusal: Refusal = lambda _: None
        self.is_silent = False
        self.pause_s = 0.0
        self.asked: list[Asked] = []
        self.port = 0

    @property
    def targets(self) -> list[str]:
        return [f"{asked.method} {asked.target}" for asked in self.asked]

    def proxies(self, *, login: str = "", excluded: str = "", scheme: str = "http") -> Proxies:
        """As a process has them whose variables name this proxy for everything."""
        url = (
            f"{scheme}://{login}localhost:{self.port}"
            if scheme == "https"
            else f"http://{login}127.0.0.1:{self.port}"
        )
        return Proxies.of({"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": excluded})

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["FakeProxy"]:
        connections: set[asyncio.Task[None]] = set()

        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            if tls is not None:
                await all_closed(self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._answer(reader, writer)
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = _asked(head)
        self.asked.append(asked)
        if self.is_silent:
            await reader.read()
            return
        await asyncio.sleep(self.pause_s)
        answer = self._unknown(asked) or self.refusal(asked)
        if answer is not None or (answer := self._lost(asked)) is not None:
            writer.write(answer)
            await writer.drain()
            with suppress(OSError):
                writer.write_eof() if writer.can_write_eof() else None
            return
        await self._forward(asked, head, reader, writer)

    def _unknown(self, asked: Asked) -> bytes | None:
        wanted = "Basic " + b64encode(":".join(self.login).encode()).decode() if self.login else None
        if wanted is None or asked.headers.get("proxy-authorization") == wanted:
            return None
        return (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
        )

    def _lost(self, asked: Asked) -> bytes | None:
        if _place(asked) in self.ports:
            return None
        return b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n"

    async def _forward(
        self, asked: Asked, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self.ports[_place(asked)])
        try:
            if asked.method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                to.write(_relative(head))
            await asyncio.gather(_pump(reader, to), _pump(there, writer))
        finally:
            to.transport.abort()


def _asked(head: bytes) -> Asked:
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    pairs = [line.partition(":") for line in lines[1:] if line]
    return Asked(method, target, {name.lower(): value.strip() for name, _, value in pairs})


def _place(asked: Asked) -> str:
    if asked.method == "CONNECT":
        return asked.target
    authority = asked.target.removeprefix("http://").partition("/")[0]
    return authority if ":" in authority else f"{authority}:80"


def _relative(head: bytes) -> bytes:
    """As the server itself is asked: by path, without what was for the proxy."""
    first, _, rest = head.partition(b"\r\n")
    method, target, version = first.split(b" ", 2)
    path = b"/" + target.removeprefix(b"http://").partition(b"/")[2]
    lines = [each for each in rest.split(b"\r\n") if not each.lower().startswith(b"proxy-")]
    return b" ".join([method, path, version]) + b"\r\n" + b"\r\n".join(lines)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()
