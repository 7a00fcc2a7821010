"""Messages to receivers that speak TLS."""

import asyncio
import datetime as dt
import ssl
from contextlib import asynccontextmanager

import pytest

from genpulse.adapters.webhooks.sender import WebhookSender
from tests.certificates import of_server, write_certificate
from tests.connections import all_closed

BODY = b"{}"


@pytest.fixture
def certificate(tmp_path):
    """A certificate of `localhost` and 127.0.0.1 that nobody knows, with its key."""
    return write_certificate(tmp_path / "receiver.pem")


@asynccontextmanager
async def receiver(certificate, answer: bytes):
    """Answers with these bytes and closes without a word of TLS; the body gets its port."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=of_server(certificate))
    port = server.sockets[0].getsockname()[1]
    yield port
    server.close()
    await all_closed(port)


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
