"""A server that answers with any bytes whatever, and keeps what it was asked byte for byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.connections import all_closed


@dataclass
class Asked:
    """One request: its target as it stood in the request line, its headers in lower case, its body."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Answer = Callable[[Asked], bytes | Awaitable[bytes]]


class RawServer:
    """Each request is answered by what `answer` gives, and its connection is closed behind that."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Answer = lambda _: ok(b"x")
        self.url = ""
        self.port = 0

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]

    @asynccontextmanager
    async def running(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["RawServer"]:
        server = await asyncio.start_server(self._serve, host, 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()
            if tls is not None:
                await all_closed(self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await _read(reader)
            self.asked.append(asked)
            given = self.answer(asked)
            writer.write(given if isinstance(given, bytes) else await given)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    pairs = [line.partition(":") for line in head[1:] if line]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


def answer(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, *, length: int | None = None
) -> bytes:
    """An answer with a status line, headers and a body, of which the length may be a lie."""
    given = {
        "Content-Length": str(len(body) if length is None else length),
        "Connection": "close",
        **(headers or {}),
    }
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def ok(body: bytes, media_type: str = "image/png") -> bytes:
    """A success."""
    return answer(200, body, {"Content-Type": media_type})


def redirect(location: str, status: int = 302) -> bytes:
    """A redirect whose Location is sent as it is, in UTF-8."""
    head = f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return head.encode("utf-8", "surrogateescape")
