"""A proxy before PostgreSQL that sees each statement, and lets somebody decide what becomes of it."""

import asyncio
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from tests.crash_points.messages import (
    CANCEL_REQUEST,
    GSS_REQUEST,
    SSL_REQUEST,
    label_of,
    read_message,
    read_startup,
    refusal,
    texts,
)

_ENDS = (OSError, asyncio.IncompleteReadError)


class Fate(Enum):
    """What becomes of a statement. SWALLOW: the server does it, and the answer is lost with the connection."""

    PASS = auto()
    BREAK = auto()
    SWALLOW = auto()
    READ_ONLY = auto()


@dataclass(frozen=True, order=True, slots=True)
class Point:
    """The `nth` statement (from 1) of those with one label, over all connections of one process."""

    label: str
    nth: int

    def __str__(self) -> str:
        return f"{self.label} ({self.nth})"


@dataclass(slots=True)
class Statement:
    """A statement on its way. `status` is the server's word after it: I, T or E, as in ReadyForQuery."""

    point: Point
    text: str
    in_transaction: bool
    fate: Fate = Fate.PASS
    status: str = ""


class Watcher(Protocol):
    """Decides about statements."""

    async def before(self, statement: Statement) -> Fate:
        """It was sent and has not reached the server; it waits as long as this takes."""

    async def after(self, statement: Statement) -> None:
        """The server has answered, and the client has not heard it."""


@dataclass(eq=False)
class _Line:
    """One connection of a client, and the one behind it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server_reader: asyncio.StreamReader
    server_writer: asyncio.StreamWriter
    prepared: dict[str, str] = field(default_factory=dict)
    waiting: deque[Statement | None] = field(default_factory=deque)
    status: bytes = b"I"

    def abort(self) -> None:
        for writer in (self.writer, self.server_writer):
            writer.transport.abort()


class Proxy:
    """Listens on a port of its own for one process's connections."""

    def __init__(self, host: str, port: int, watcher: Watcher) -> None:
        self._target = (host, port)
        self._watcher = watcher
        self._lines: set[_Line] = set()
        self._counted: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._is_cut = False
        self.points: list[Point] = []
        self.commits = 0

    async def start(self) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Break every connection, and take no new ones."""
        self._is_cut = True
        self._thawed.set()
        for line in list(self._lines):
            line.abort()

    def freeze(self, seconds: float) -> None:
        """Let nothing through in either direction for so long."""
        self._thawed.clear()
        asyncio.get_running_loop().call_later(seconds, self._thawed.set)

    async def close(self) -> None:
        """Nothing is left of it."""
        self.cut()
        if self._server is not None:
            self._server.close()
        while self._lines:
            await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._is_cut:
                await self._connect(reader, writer)
        except _ENDS:
            pass
        finally:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code, startup = await read_startup(reader)
        while code in {SSL_REQUEST, GSS_REQUEST}:
            writer.write(b"N")
            code, startup = await read_startup(reader)
        await self._thawed.wait()
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        server_writer.write(startup)
        if code == CANCEL_REQUEST:
            server_writer.close()
            return
        line = _Line(reader, writer, server_reader, server_writer)
        self._lines.add(line)
        pumps = [asyncio.ensure_future(self._to_server(line)), asyncio.ensure_future(self._to_client(line))]
        try:
            if self._is_cut:
                return
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            line.abort()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._lines.discard(line)

    async def _to_server(self, line: _Line) -> None:
        held, text = b"", ""
        with suppress(*_ENDS):
            while True:
                message = await read_message(line.reader)
                held += message.raw
                match message.kind:
                    case b"P":
                        name, query = texts(message.payload, 2)
                        line.prepared[name] = query
                        continue
                    case b"B":
                        text = line.prepared.get(texts(message.payload, 2)[1], "")
                        continue
                    case b"D" | b"E" | b"C":
                        continue
                    case b"Q":
                        text = texts(message.payload, 1)[0]
                        await self._statement(line, held, text)
                    case b"S":
                        await self._statement(line, held, text)
                    case _:
                        await self._thawed.wait()
                        line.server_writer.write(held)
                held = b""
                if message.kind in {b"Q", b"S"}:
                    text = ""
                await line.server_writer.drain()

    async def _statement(self, line: _Line, raw: bytes, text: str) -> None:
        if not text:
            line.waiting.append(None)
            line.server_writer.write(raw)
            return
        await self._thawed.wait()
        label = label_of(text)
        self._counted[label] += 1
        point = Point(label, self._counted[label])
        self.points.append(point)
        statement = Statement(point, text, line.status != b"I")
        statement.fate = await self._watcher.before(statement)
        await self._thawed.wait()
        match statement.fate:
            case Fate.BREAK:
                line.abort()
            case Fate.READ_ONLY:
                status = b"E" if statement.in_transaction else b"I"
                line.writer.write(refusal("25006", "cannot execute it in a read-only transaction", status))
            case _:
                line.waiting.append(statement)
                line.server_writer.write(raw)

    async def _to_client(self, line: _Line) -> None:
        with suppress(*_ENDS):
            while True:
                message = await read_message(line.server_reader)
                await self._thawed.wait()
                statement = line.waiting[0] if line.waiting else None
                if message.kind == b"Z":
                    line.status = message.payload
                    if line.waiting:
                        line.waiting.popleft()
                    if statement is not None:
                        await self._answered(line, statement)
                        await self._thawed.wait()
                if statement is None or statement.fate is not Fate.SWALLOW:
                    line.writer.write(message.raw)
                    await line.writer.drain()

    async def _answered(self, line: _Line, statement: Statement) -> None:
        statement.status = line.status.decode()
        if statement.status == "I":
            self.commits += 1
        await self._watcher.after(statement)
        if statement.fate is Fate.SWALLOW:
            line.abort()
