"""Servers that are not what an address promises: of another kind, or with a certificate that nobody trusts."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.connections import all_closed

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself. `trusted`: its own file is given as the authority."""

    name: str = "localhost"
    ends_in: dt.timedelta = 30 * DAY
    trusted: bool = True


WRONG = {
    "authority": (Certificate(trusted=False), "self-signed certificate. Name the authority"),
    "expiry": (Certificate(ends_in=-DAY), "certificate has expired. Renew it"),
    "name": (Certificate(name="elsewhere.example"), "Hostname mismatch"),
}


@asynccontextmanager
async def http_server() -> AsyncIterator[int]:
    """Answers each line as HTTP servers do; yields its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def tls_server(
    folder: Path, certificate: Certificate, *, promise: bytes = b""
) -> AsyncIterator[tuple[int, Path | None]]:
    """Begins TLS at once, or after a `promise`; yields its port, and the file of its authority."""
    pem = written(folder, certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError):
            if promise:
                await reader.read(8)
                writer.write(promise)
                await writer.drain()
            await writer.start_tls(context)
            await reader.read(100)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield port, pem if certificate.trusted else None
    await all_closed(port)


def written(folder: Path, certificate: Certificate) -> Path:
    """Key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, certificate.name)])
    names: list[x509.GeneralName] = [x509.DNSName(certificate.name)]
    if certificate.name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + certificate.ends_in)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file
