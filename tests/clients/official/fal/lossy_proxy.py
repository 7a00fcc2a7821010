"""A proxy that loses answers: requests go through."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_CHUNK = 1 << 16


class LossyProxy:
    """https before the http port of this machine. Of the first answer to a POST nothing is read.

    `chain` is its certificate, `key` that one's key.
    """

    def __init__(self, port: int, chain: Path, key: Path) -> None:
        self._port = port
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(chain, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.lost = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> "LossyProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as client:
            while request := _message(client):
                with socket.create_connection(("127.0.0.1", self._port)) as ours:
                    ours.sendall(request)
                    if request.startswith(b"POST") and not self.lost:
                        self.lost += 1
                        ours.recv(1, socket.MSG_PEEK)  # it is there, and nobody takes it
                        return
                    client.sendall(_message(ours))


def _message(source: socket.socket) -> bytes:
    """A request or an answer with its body; empty where there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := source.recv(_CHUNK)):
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    found = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
    while len(body) < int(found or 0):
        body += source.recv(_CHUNK)
    return head + b"\r\n\r\n" + body
