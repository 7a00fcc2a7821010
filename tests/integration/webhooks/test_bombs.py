"""Receivers that answer a message with more than anybody wants to have."""

import gzip
from datetime import UTC, datetime

import pytest

from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.addresses.proxies import NO_PROXIES
from tests.fakes.proxy import FakeProxy
from tests.integration.webhooks.rude import receiver
from tests.memory import MIB, peak

MOST_MIB = 24
PIECE = bytes(MIB)
ENDLESS = {
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", PIECE),
    "packed body": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(bytes(8 * MIB))),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", PIECE),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Header: value\r\n" * 65_536),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", PIECE),
}


def flood(begin, piece):
    async def talk(_reader, writer):
        writer.write(begin)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return talk


async def send(url, proxies=NO_PROXIES):
    sender = WebhookSender(None, allow_private=True, version="1", proxies=proxies)
    try:
        return await sender.send(url, "msg_1", b"{}", now=datetime.now(UTC))
    finally:
        await sender.close()


@pytest.mark.parametrize("kind", ENDLESS)
async def test_no_more_is_read_than_is_of_interest(kind):
    async with receiver(flood(*ENDLESS[kind])) as url:
        with peak() as memory:
            assert (await send(url)).is_taken
    assert memory.stays_below(MOST_MIB), memory


async def test_nor_of_what_a_proxy_answers():
    proxy = FakeProxy({})
    answered = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MIB
    proxy.refusal = lambda _: answered
    async with proxy.running():
        with peak() as memory:
            answer = await send("https://receiver.example/", proxy.proxies())
    assert answer.status_code is None
    assert memory.stays_below(MOST_MIB), memory
