"""No answer of a stranger's receiver is wrongly understood, or makes the sender raise."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.webhooks.response_head import LONGEST_HEAD, Head, NoAnswer, retry_after_s
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.domain.webhook_delivery import Answer
from tests.drawn import examples
from tests.integration.webhooks.rude import NOT_TAKEN, ODD_WAITS, TAKEN, Talk, receiver, says

BODY = b'{"type":"task.succeeded"}'
DAY_S = 24 * 3600.0


@pytest.fixture
async def sender():
    sender = WebhookSender(None, allow_private=True, version="1")
    yield sender
    await sender.close()


async def send(sender, url):
    return await sender.send(url, "msg_1", BODY, now=datetime.now(UTC))


def head_of(data: bytes, cuts: int = 0) -> Head:
    head = Head()
    for at in range(0, len(data), cuts or max(len(data), 1)):
        head.feed(data[at : at + (cuts or len(data))])
    return head


@pytest.mark.parametrize("ending", [{}, {"resets": True}, {"hangs": True}], ids=["closes", "resets", "hangs"])
@pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN)
async def test_the_status_line_decides_whatever_follows(sender, data, ending):
    async with receiver(says(data, **ending)) as url:
        answer = await send(sender, url)
    assert answer.is_taken or ("resets" in ending and answer.status_code is None), answer
    assert answer.is_taken == (answer.error == "")


@pytest.mark.parametrize("ending", [{}, {"resets": True}], ids=["closes", "resets"])
@pytest.mark.parametrize("data", NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_what_is_no_success_is_not_taken_and_says_why(sender, data, ending):
    async with receiver(says(data, **ending)) as url:
        answer = await send(sender, url)
    assert not answer.is_taken
    assert answer.error
    assert not answer.silent


async def test_a_connection_closed_after_each_byte(sender):
    data = b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"
    decided = data.index(b"\n") + 1
    for upto in range(len(data) + 1):
        async with receiver(says(data[:upto])) as url:
            assert (await send(sender, url)).is_taken is (upto >= decided)


async def test_an_answer_that_comes_byte_by_byte(sender):
    async def talk(_reader, writer):
        for byte in b"HTTP/1.1 503 Slow\r\nRetry-After: 7\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async with receiver(talk) as url:
        answer = await send(sender, url)
    assert replace(answer, request_excerpt="", answer_excerpt="") == Answer(503, "answered 503 Slow", 7.0)
    assert answer.answer_excerpt == "HTTP/1.1 503 Slow\nRetry-After: 7\n\n"


async def test_an_answer_before_the_message_was_read(sender):
    async with receiver(says(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n"), reads=False) as url:
        answer = await sender.send(url, "msg_1", b"x" * 10_000_000, now=datetime.now(UTC))
    assert answer.status_code == 413


async def test_a_flood_ends_at_a_bound(sender):
    written = 0

    def endless(line: bytes, first: bytes) -> Talk:
        async def talk(_reader, writer):
            nonlocal written
            writer.write(first)
            while True:
                writer.write(line * 1000)
                await writer.drain()
                written += len(line) * 1000

        return talk

    floods = {
        b"HTTP/1.1 100 Continue\r\n\r\n": b"",
        b"X: y\r\n": b"HTTP/1.1 200 OK\r\n",
        b"5\r\nhello\r\n": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"zeros" * 100: b"",
    }
    for line, first in floods.items():
        written = 0
        async with receiver(endless(line, first)) as url:
            answer = await send(sender, url)
        assert answer.is_taken is (first != b"")
        assert written < 32 << 20


async def test_one_that_never_answers_is_silent():
    sender = WebhookSender(None, allow_private=True, version="1", answer_s=0.3)
    async with receiver(says(b"", hangs=True)) as url:
        answer = await send(sender, url)
    assert (answer.status_code, answer.silent) == (None, True)
    assert answer.error.startswith("no answer within")
    async with receiver(says(b"HTTP/1.1 200 O", hangs=True)) as url:
        assert (await send(sender, url)).silent
    await sender.close()


async def test_one_that_speaks_no_tls(sender):
    async with receiver(says(b"HTTP/1.1 200 OK\r\n\r\n"), reads=False) as url:
        answer = await send(sender, url.replace("http://", "https://"))
    assert answer.status_code is None
    assert answer.error.startswith("Cannot connect to")


NO_ADDRESSES = [
    "x",
    "http://",
    "https://",
    "ftp://a.example/",
    "http://a.example:99999/",
    "http://[::1/",
    "//a",
    "http:///x",
    "http://a..b/",
    "http://*/",
    "http://a%0d%0ab/",
    "http://a.example:0/",
    "http://a.example:x/",
]


@pytest.mark.parametrize("url", [*NO_ADDRESSES, "", "http://" + "a" * 300 + ".example/", "http://\ud800.example/"])
async def test_addresses_that_are_none(sender, url):
    answer = await send(sender, url)
    assert (answer.status_code, answer.silent) == (None, False)
    assert answer.error


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_give_a_head_or_none_however_they_come(data, cuts):
    def outcome(cuts):
        try:
            head = head_of(data, cuts)
        except NoAnswer:
            return NoAnswer
        return head.status, head.reason, head.complete, head.has_ended

    assert outcome(0) == outcome(cuts)


@given(
    st.integers(200, 999),
    st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=10),
    st.binary(max_size=100),
)
def test_whatever_follows_a_status_line_it_counts(status, lines, body):
    data = b"\r\n".join([b"HTTP/1.1 %d x" % status, *lines, b"", body])
    head = head_of(data)
    assert head.status == status
    Answer(head.status, head.reason, head.retry_after_s).error.encode()


@pytest.mark.parametrize("header", ODD_WAITS)
async def test_odd_waits_are_a_sensible_one_or_none(sender, header):
    data = f"HTTP/1.1 503 Later\r\nRetry-After: {header}\r\n\r\n".encode()
    async with receiver(says(data)) as url:
        answer = await send(sender, url)
    assert answer.status_code == 503
    assert answer.retry_after_s is None or 0 <= answer.retry_after_s <= DAY_S


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, ?\d{1,3} [A-Z][a-z]{2} \d{1,12} [\d:]{1,9} ?[+-]?\w{0,12}"))
@settings(max_examples=examples(200))
def test_any_text_is_a_wait_or_none(header):
    wait_s = retry_after_s(header)
    assert wait_s is None or wait_s >= 0


def test_the_bounds_are_as_told():
    with pytest.raises(NoAnswer, match="no status line"):
        head_of(b"HTTP/1.1 100 x\r\n\r\n" * (LONGEST_HEAD // 18 + 1))
