"""Messages to receivers that speak TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from genpulse.adapters.webhooks.sender import WebhookSender

BODY = b"{}"


@pytest.fixture
def certificate(tmp_path):
    """A certificate of `localhost` and 127.0.0.1 that nobody knows, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "receiver.pem"
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@asynccontextmanager
async def receiver(certificate, answer: bytes):
    """Answers with these bytes and closes without a word of TLS; the body gets its port."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.transport.abort()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def sender(trusted=None):
    tls = ssl.create_default_context(cafile=trusted) if trusted else None
    sender = WebhookSender(None, allow_private=True, version="1", tls=tls)
    yield sender
    await sender.close()


async def send(sender, url):
    return await sender.send(url, "msg_1", BODY, now=dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 204 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
async def test_one_that_is_who_it_says_gets_its_message(certificate, host, answer):
    async with receiver(certificate, answer) as port, sender(certificate) as careful:
        assert (await send(careful, f"https://{host}:{port}/hook")).is_taken


async def test_one_that_nobody_knows_gets_nothing(certificate):
    async with receiver(certificate, b"HTTP/1.1 204 OK\r\n\r\n") as port, sender() as careful:
        answer = await send(careful, f"https://localhost:{port}/hook")
    assert (answer.status_code, answer.silent) == (None, False)
    assert "certificate verify failed" in answer.error


async def test_one_of_another_name_gets_nothing(certificate):
    async with receiver(certificate, b"HTTP/1.1 204 OK\r\n\r\n") as port, sender(certificate) as careful:
        answer = await send(careful, f"https://other.localhost:{port}/hook")
    assert answer.status_code is None
    assert "certificate verify failed" in answer.error
