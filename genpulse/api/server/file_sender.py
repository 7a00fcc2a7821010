"""Bodies of responses that the system copies from a file into a connection by itself."""

import asyncio
import os
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, ClassVar, Protocol

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from genpulse.api.server.connections_per_peer import most_connections

FILE_SENDER = "genpulse.file_sender"
"""Key in the scope: the `FileSender` of a request, where its connection has one."""

_AT_ONCE = 8 << 20
"""Bytes that a thread sends of one file before others have their turn."""
_PIECE = 1 << 16
_CONNECTIONS_FOR_ONE = 12
"""Of so many connections that there may be one may send a file: that takes three descriptors more."""

_threads = ThreadPoolExecutor(16, thread_name_prefix="sendfile")


class HttpConnection(Protocol):
    """What a sender needs of the protocol of its connection."""

    flow: FlowControl
    transport: asyncio.Transport

    def flush(self) -> None:
        """Hand over to the transport what was written and waits for more."""


class FileSender:
    """Sends a part of a file as the body of one response, of which hardly a byte comes through this process.

    Threads ask the system to, since a disk may be slow, and none of them waits for a client: where the connection
    is full, one piece goes by the transport, which knows how to wait, and how to leave who takes nothing.
    """

    __slots__ = ("_connection", "_cycle")

    def __init__(self, connection: HttpConnection, cycle: RequestResponseCycle) -> None:
        # Both know the scope, in which this is: with a reference they would wait for the garbage collector.
        self._connection = weakref.ref(connection)
        self._cycle = weakref.ref(cycle)

    async def send(self, file: BinaryIO, start: int, end: int) -> None:
        """Send the bytes from `start` up to but not including `end`, or fewer where the client leaves.

        The head was sent before, and its Content-Length counts them. Raises `EOFError` where the file is shorter,
        and `OSError` where it cannot be read.
        """
        connection, cycle = self._connection(), self._cycle()
        if connection is None or cycle is None or connection.transport.is_closing():
            return
        transport = connection.transport
        transport.set_write_buffer_limits(high=0)
        try:
            await _written_out(connection)
            if not transport.is_closing():
                await _send(connection, file, start, end)
        finally:
            if not transport.is_closing():
                transport.set_write_buffer_limits()
        cycle.expected_content_length -= end - start


async def _send(connection: HttpConnection, file: BinaryIO, start: int, end: int) -> None:
    transport = connection.transport
    transfer = _Transfer(transport.get_extra_info("socket").fileno(), file.fileno())
    try:
        while start < end and not transport.is_closing():
            sent_bytes, piece = await transfer.some(start, min(end - start, _AT_ONCE))
            start += sent_bytes + len(piece)
            if piece and not transport.is_closing():
                transport.write(piece)
                await _written_out(connection)
    finally:
        transfer.close()


async def _written_out(connection: HttpConnection) -> None:
    """Wait until the transport holds nothing: what it holds would come behind the file."""
    connection.flush()
    await connection.flow.drain()


class _Transfer:
    """From a file into a socket, by copies of both descriptors: they stay open while a thread works with them.

    Else a thread might write into a descriptor that is another client's by then.
    """

    open_ones: ClassVar[int] = 0

    def __init__(self, socket: int, file: int) -> None:
        self._socket = os.dup(socket)
        try:
            self._file = os.dup(file)
        except OSError:
            os.close(self._socket)
            raise
        self._call: Future[tuple[int, bytes]] | None = None
        _Transfer.open_ones += 1

    async def some(self, start: int, count: int) -> tuple[int, bytes]:
        """Send some of these bytes; tells how many, and which come next where the connection is full."""
        self._call = _threads.submit(_send_some, self._socket, self._file, start, count)
        return await asyncio.wrap_future(self._call)

    def close(self) -> None:
        """Close them, as soon as a thread lets go of them that nobody waits for any more."""
        _Transfer.open_ones -= 1
        if self._call is None:
            self._close()
        else:
            self._call.add_done_callback(lambda _: self._close())

    def _close(self) -> None:
        os.close(self._socket)
        os.close(self._file)


def _send_some(socket: int, file: int, start: int, count: int) -> tuple[int, bytes]:
    """Raises `EOFError` where the file ends before.

    Whatever the system says against it, a piece is read then: of a file that cannot be read, reading tells; and of
    a connection that has ended, whoever writes the piece.
    """
    try:
        sent_bytes = os.sendfile(socket, file, start, count)
    except OSError:
        sent_bytes = 0
    if sent_bytes == count:
        return sent_bytes, b""
    piece = os.pread(file, min(count - sent_bytes, _PIECE), start + sent_bytes)
    if not piece:
        raise EOFError
    return sent_bytes, piece


def file_sender_in(scope: Scope) -> FileSender | None:
    """What sends files as the body of this response.

    None with TLS, where another server serves, and where files that are being sent have taken their share of the
    descriptors.
    """
    if _Transfer.open_ones >= most_connections() // _CONNECTIONS_FOR_ONE:
        return None
    found: FileSender | None = scope.get(FILE_SENDER)
    return found
