"""A proxy before a stack: it speaks TLS where it has a certificate, and loses answers when it is told to."""

import asyncio
import ipaddress
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_CHUNK = 1 << 16
_TAKEN_S = 0.5
"""So long the stack has the request before its answer is lost."""


class LossyProxy:
    """Passes connections on to `upstream`, in a thread. The next `losing` POSTs arrive, and get no answer."""

    def __init__(self, upstream: str, certificate: Path | None = None) -> None:
        self.passes_to(upstream)
        self._ssl = None
        if certificate is not None:
            self._ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ssl.load_cert_chain(certificate)
        self.losing = 0
        self.lost = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def passes_to(self, upstream: str) -> None:
        """From now on the stack is there."""
        place = urlsplit(upstream)
        self._upstream = (place.hostname, place.port)

    def __enter__(self) -> "LossyProxy":
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._ssl)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._ssl else 'http'}://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(*self._upstream)
            both = [self._up(reader, upstream[1], writer), _pump(upstream[0], writer)]
            _, open_ = await asyncio.wait(
                [asyncio.ensure_future(one) for one in both], return_when=asyncio.FIRST_COMPLETED
            )
            for one in open_:
                one.cancel()
            upstream[1].close()
        finally:
            writer.close()

    async def _up(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            loses = self.losing > 0 and chunk.startswith(b"POST ")
            upstream.write(chunk)
            await upstream.drain()
            if loses:
                self.losing -= 1
                self.lost += 1
                client.transport.pause_reading()
                await asyncio.sleep(_TAKEN_S)
                client.transport.abort()
                return


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()


def certificate_for_loopback(folder: Path) -> Path:
    """A certificate of 127.0.0.1 and its key in one file, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "loopback.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
