"""What an upload costs at least: read the socket, compute SHA-256, write, wait for the disk: `… FOLDER`."""

import hashlib
import json
import os
import socket
import sys
from pathlib import Path

CHUNK = 1 << 20


def main(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(f"listening on http://127.0.0.1:{server.getsockname()[1]}", flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                _answer(connection, folder / "uploaded")


def _answer(connection: socket.socket, path: Path) -> None:
    """One request with a `Content-Length`."""
    head, _, begun = _head(connection).partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    digest, left = hashlib.sha256(begun), int(fields[b"content-length"]) - len(begun)
    buffer = memoryview(bytearray(CHUNK))
    with path.open("wb") as file:
        file.write(begun)
        while left > 0:
            count = connection.recv_into(buffer)
            if count == 0:
                return
            digest.update(buffer[:count])
            file.write(buffer[:count])
            left -= count
        file.flush()
        os.fsync(file.fileno())
    body = json.dumps({"sha256": digest.hexdigest()}).encode()
    answer = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n"
    connection.sendall(answer + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    path.unlink()


def _head(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(CHUNK)
        if not more:
            raise SystemExit("The request ended in its head.")
        received += more
    return received


main(Path(sys.argv[1]))
