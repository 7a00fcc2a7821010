"""Bodies of responses that the system copies from a file into a connection by itself."""

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Protocol

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

FILE_SENDER = "genpulse.file_sender"
"""Key in the scope: the `FileSender` of a request, where its connection has one."""

_AT_ONCE = 8 << 20
"""Bytes that a thread sends of one file before others have their turn."""
_PIECE = 1 << 18
_NOT_BY_ITSELF = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
"""What sendfile(2) says of files on file systems that cannot do it."""

_threads = ThreadPoolExecutor(16, thread_name_prefix="sendfile")


class Connection(Protocol):
    """What a sender needs of the protocol of its connection."""

    loop: asyncio.AbstractEventLoop
    flow: FlowControl
    transport: asyncio.Transport
    when_lost: Callable[[], None] | None

    def flush(self) -> None:
        """Hand over to the transport what was written and waits for more."""

    def watch(self) -> None:
        """Leave a client that takes next to nothing from now on."""

    def stop_watching(self) -> None:
        """It has taken some."""


class FileSender:
    """Sends a part of a file as the body of one response, of which no byte comes through this process.

    Threads ask the system to, since a disk may be slow. None of them waits for a client.
    """

    def __init__(self, connection: Connection, cycle: RequestResponseCycle) -> None:
        self._connection = connection
        self._cycle = cycle

    async def send(self, file: BinaryIO, start: int, end: int) -> None:
        """Send the bytes from `start` up to but not including `end`, or fewer where the client leaves.

        The head was sent before, and its Content-Length counts them. Raises `EOFError` where the file is shorter,
        and `OSError` where it cannot be read.
        """
        await self._head_is_out()
        transport = self._connection.transport
        if not transport.is_closing():
            transfer = _Transfer(transport.get_extra_info("socket").fileno(), file.fileno())
            try:
                await self._send(transfer, start, end)
            finally:
                transfer.close()
        self._cycle.expected_content_length -= end - start

    async def _head_is_out(self) -> None:
        """What the transport itself still holds would come behind the file."""
        connection = self._connection
        connection.transport.set_write_buffer_limits(high=0)
        connection.flush()
        await connection.flow.drain()
        connection.transport.set_write_buffer_limits()

    async def _send(self, transfer: "_Transfer", start: int, end: int) -> None:
        while start < end and not self._connection.transport.is_closing():
            count = min(end - start, _AT_ONCE)
            try:
                sent = await transfer.some(start, count)
            except (BrokenPipeError, ConnectionResetError):
                return
            start += sent
            if sent < count:
                await self._until_writable(transfer.socket)

    async def _until_writable(self, socket: int) -> None:
        connection = self._connection
        ready = connection.loop.create_future()

        def go_on() -> None:
            if not ready.done():
                ready.set_result(None)

        connection.loop.add_writer(socket, go_on)
        connection.when_lost = go_on
        connection.watch()
        try:
            await ready
        finally:
            connection.stop_watching()
            connection.when_lost = None
            connection.loop.remove_writer(socket)


class _Transfer:
    """From a file into a socket, by descriptors of its own: they stay open while a thread works with them."""

    def __init__(self, socket: int, file: int) -> None:
        self.socket = os.dup(socket)
        self._file = os.dup(file)
        self._call: Future[int] | None = None

    async def some(self, start: int, count: int) -> int:
        """Send some of these bytes, as many as the client has room for, and tell how many."""
        self._call = _threads.submit(_sent, self.socket, self._file, start, count)
        return await asyncio.wrap_future(self._call)

    def close(self) -> None:
        """Close them, as soon as a thread lets go of them that nobody waits for any more."""
        if self._call is None:
            self._close()
        else:
            self._call.add_done_callback(lambda _: self._close())

    def _close(self) -> None:
        os.close(self.socket)
        os.close(self._file)


def _sent(socket: int, file: int, start: int, count: int) -> int:
    """How many of these bytes the system took. Raises `EOFError` where there are none."""
    try:
        sent = os.sendfile(socket, file, start, count)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno not in _NOT_BY_ITSELF:
            raise
        return _read_and_sent(socket, file, start, min(count, _PIECE))
    if not sent:
        raise EOFError
    return sent


def _read_and_sent(socket: int, file: int, start: int, count: int) -> int:
    piece = os.pread(file, count, start)
    if not piece:
        raise EOFError
    try:
        return os.write(socket, piece)
    except BlockingIOError:
        return 0


def file_sender_in(scope: Scope) -> FileSender | None:
    """What sends files as the body of this response; None with TLS, and where another server serves."""
    found: FileSender | None = scope.get(FILE_SENDER)
    return found
