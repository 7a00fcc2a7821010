"""uvicorn's HTTP protocol with fewer system calls, and with time limits for slow clients."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from genpulse.api.server.arrived_body import note_arrived
from genpulse.api.server.connections_per_peer import PEERS, Peers
from genpulse.api.server.file_sender import FILE_SENDER, FileSender
from genpulse.api.server.unread_bytes import drop_untaken, untaken_bytes
from genpulse.api.server.written_answer import ANSWER, WrittenAnswer

HEAD_S = 20.0
"""Seconds in which the head of a request has to come."""
TAKEN_S = 30.0
"""Seconds in which a client that what is sent waits for has to take some of it."""
TAKEN_BYTES_PER_S = 1024
"""So much of it at least: as much as a client has to send of a body."""
HEAD_BYTES = 1 << 16
"""Bytes that a head may have which does not come at once."""
LINGER_S = 1.0
"""Seconds for which the rest of a request that was refused is read, so that its answer is not lost by a reset."""
FIRST_S = 0.5
"""Seconds for which a server that stops waits for the first request on a connection that it has taken."""
PIPELINED = 100
"""Requests that may wait on a connection for the answer to an earlier one."""
_LARGE = 1 << 16
_END = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout" + _END
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5" + _END
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _END


class GatheringProtocol(HttpToolsProtocol):
    """Head and body of a response leave together; requests and responses get on, or the connection ends.

    uvicorn writes head and body one after the other, and a system call each was a fifth of what a submit costs. It
    waits for ever for a head and for a client that reads nothing of what it has asked for: such a connection ends
    after `head_s` seconds or `HEAD_BYTES`, and after `taken_s` seconds in which next to nothing was taken. Where
    the application has put `Peers` into the state of its lifespan, one for which they have no room gets 503.

    The scope of each request has its `WrittenAnswer`, and without TLS a `FileSender`. An answer was not read where
    the connection ended before it was written out, where it was reset, and where the client has closed it without
    having acknowledged all of it.
    """

    head_s: ClassVar[float] = HEAD_S
    taken_s: ClassVar[float] = TAKEN_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a new connection."""
        self._in_head = False
        self._head_bytes = 0
        self._refused = False
        self._ends = False
        self._is_new = True
        self._peers: Peers | None = self.app_state.get(PEERS)
        self._untaken = 0
        self._answers: list[WrittenAnswer] = []
        self._was_closed_by_client = False
        self._is_lost = False
        self._says_farewell = False
        self._taking_timer: asyncio.TimerHandle | None = None
        self._head_timer: asyncio.TimerHandle | None = self.loop.call_later(self.head_s, self._give_up)
        self._gathering = gathering = _Gathering(transport, self.loop, self._closing)
        super().connection_made(gathering)  # type: ignore[arg-type]  # all that is asked of one
        if self._peers is not None and not self._peers.admit(self, self.client[0] if self.client else None):
            self.transport.write(_TOO_MANY)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers of the connection."""
        self._stop_timer()
        self._stop_watching()
        if self._peers is not None:
            self._peers.remove(self)
        self._is_lost = True
        is_reset = exc is not None and not self._was_closed_by_client and not self._says_farewell
        if self._is_answering() or is_reset:
            self._note_unread()
        super().connection_lost(exc)
        self._gathering.let_go()

    def eof_received(self) -> None:
        """The client has closed its side. What it has not acknowledged by now it has not read."""
        self._was_closed_by_client = True
        if not self._says_farewell and untaken_bytes(self.transport):
            self._note_unread()
        super().eof_received()

    def data_received(self, data: bytes) -> None:
        """Time what is left of a head; most come whole.

        What is no part of a request that is being answered is timed, too: line ends before a head, and a body
        that comes behind its answer. uvicorn ends its own waiting with every byte.
        """
        if self._refused:
            return
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._in_head else 0
        if self._head_bytes > HEAD_BYTES:
            self._give_up(_TOO_LARGE)
        elif self._is_answering() and not self._in_head:
            self._stop_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self._give_up)

    def shutdown(self) -> None:
        """The server stops. On a new connection a request may be under way that is sent to nobody else.

        Who has been answered on a connection has to expect that it is closed.
        """
        if not self._is_new or self._refused:
            super().shutdown()
            return
        self._ends = True
        self.loop.call_later(FIRST_S, self._end_unused)

    def _end_unused(self) -> None:
        if self._is_new and not self.transport.is_closing():
            self.transport.close()

    def is_idle(self) -> bool:
        """Whether no request is being served."""
        return not self._is_answering()

    def give_way(self) -> None:
        """Close it, so that another one may come. Who has not taken an answer is not waited for."""
        if self.transport.get_write_buffer_size():
            self._drop_untaken()
        else:
            self._give_up()

    def on_response_complete(self) -> None:
        """The response was sent."""
        if self._peers is not None:
            self._peers.note_idle(self)
        if first := next((answer for answer in self._answers if not answer.is_written), None):
            first.note_written()
        super().on_response_complete()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _should_upgrade(self) -> bool:
        """Nothing here speaks another protocol: the request is answered as it is."""
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for one is no reason for a line in the log."""

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()
        if not self._is_answering():
            self._answers.clear()  # who asks on has read what was answered
        self._answers.append(answer := WrittenAnswer())
        self.scope[ANSWER] = answer  # type: ignore[literal-required]  # a key of ours

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head = self._is_new = False
        if len(self.pipeline) >= PIPELINED:
            self.transport.abort()
        else:
            super().on_headers_complete()
            if self.scheme == "http":
                self.scope[FILE_SENDER] = FileSender(self, self.cycle)  # type: ignore[literal-required]  # of ours
            if self._ends:
                self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The last of the body has come."""
        note_arrived(self.scope)  # type: ignore[arg-type]  # a mapping like any other
        super().on_message_complete()

    def flush(self) -> None:
        """Hand over to the transport what was written and waits for more."""
        self._gathering.flush()

    def pause_writing(self) -> None:
        """The client takes less than is sent."""
        super().pause_writing()
        if self._taking_timer is None:
            self._watch()

    def resume_writing(self) -> None:
        """The client has received enough; of a connection that is being closed it has to receive all."""
        if not self.transport.is_closing():
            self._stop_watching()
        super().resume_writing()

    def _closing(self) -> None:
        """A transport that is closed waits for ever until all of it is taken.

        By TLS it takes leave, which hardly any client waits for: that one resets the connection says nothing then.
        """
        if self._is_lost:
            return
        self._says_farewell = self.scheme == "https"
        if self._taking_timer is None and self.transport.get_write_buffer_size():
            self._watch()

    def _watch(self) -> None:
        self._untaken = untaken_bytes(self.transport)
        self._taking_timer = self.loop.call_later(self.taken_s, self._look)

    def _look(self) -> None:
        if self._untaken - untaken_bytes(self.transport) >= self.taken_s * TAKEN_BYTES_PER_S:
            self._watch()
        else:
            self._taking_timer = None
            self._drop_untaken()

    def _drop_untaken(self) -> None:
        self._note_unread()
        drop_untaken(self.transport)

    def _note_unread(self) -> None:
        for answer in self._answers:
            answer.note_unread()

    def _stop_watching(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self, answer: bytes = _TOO_SLOW) -> None:
        self._stop_timer()
        if self._refused or self.transport.is_closing():
            return
        if self._in_head and not self._is_answering():
            self._refuse(answer)
        else:
            self.transport.close()

    def _refuse(self, answer: bytes) -> None:
        """Say why, and heed no more of what comes: to close with bytes unread would take the answer back."""
        self._refused = True
        self.transport.write(answer)
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)


def _nobody() -> None:
    return None


class _Gathering:
    """A transport that writes together what came within one turn of the loop. What is large does not wait."""

    __slots__ = ("_chunks", "_closing", "_loop", "_transport")

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, closing: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._closing = closing
        self._loop = loop
        self._chunks: list[bytes] = []

    def let_go(self) -> None:
        """Know no more of whom to tell: with that, what a lost connection held is freed at once."""
        self._closing = _nobody

    def write(self, data: bytes) -> None:
        if len(data) >= _LARGE:
            self.flush()
            self._transport.write(data)
            return
        if not self._chunks:
            self._loop.call_soon(self.flush)
        self._chunks.append(data)

    def flush(self) -> None:
        chunks, self._chunks = self._chunks, []
        if chunks and not self._transport.is_closing():
            self._transport.write(b"".join(chunks))

    def write_eof(self) -> None:
        self.flush()
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        self.flush()
        self._transport.close()
        self._closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
