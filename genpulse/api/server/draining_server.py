"""A server that lets proxies look for another one before it stops."""

import asyncio
import os
import signal
import socket
import threading
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

HANDSHAKE_S = 1.0
"""Seconds that a client has to greet a server which stops."""


class DrainingServer(uvicorn.Server):
    """Goes on for `drain_s` seconds when it is told to stop by SIGTERM; a second signal ends it at once.

    Connections that the system has taken by then are served, too: their clients have sent what they ask for, and
    many a proxy sends no order a second time that it has sent.
    """

    def __init__(self, config: uvicorn.Config, drain_s: float) -> None:
        super().__init__(config)
        self._drain_s = drain_s
        self._drains = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if sig != signal.SIGTERM or self._drains or self._drain_s <= 0:
            super().handle_exit(sig, frame)
            return
        self._drains = True
        timer = threading.Timer(self._drain_s, super().handle_exit, (sig, None))
        timer.daemon = True
        timer.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, serve those that are there, and end."""
        listeners = [_copy(listener) for server in self.servers for listener in server.sockets]
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        for listener in listeners:
            with listener:
                await self._take_waiting(listener)
        await super().shutdown(sockets)

    async def _take_waiting(self, listener: socket.socket) -> None:
        """The listener is closed right behind the last one: what comes between is microseconds."""
        loop, waiting = asyncio.get_running_loop(), []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # there is none, or it is gone already
                break
            connection.settimeout(0)
            waiting.append(connection)
        listener.close()
        protocol: Any = self.config.http_protocol_class
        serve = partial(
            protocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        tls: dict[str, Any] = (
            {"ssl": self.config.ssl, "ssl_handshake_timeout": HANDSHAKE_S} if self.config.ssl else {}
        )
        served = (loop.connect_accepted_socket(serve, connection, **tls) for connection in waiting)
        await asyncio.gather(*served, return_exceptions=True)


def _copy(listener: socket.socket) -> socket.socket:
    """Another name for what listens, which goes on listening when the first one is closed."""
    return socket.socket(fileno=os.dup(listener.fileno()))
