"""Files that are not there yet, come in pieces, break off, or are something else than their header says."""

import asyncio
import gzip
import zlib

import pytest

from genpulse.adapters.http import download
from genpulse.adapters.http.http_client import HttpClient
from genpulse.domain.errors import InvalidInput, OutputUnavailable, ProviderUnavailable, QuestionRefused
from genpulse.domain.failure import Charged, FailureCode
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost, Reach
from tests.fakes.raw import answer, ok
from tests.integration.http.conftest import bytes_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def raw_deflate(content: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(content) + packing.flush()


def gzip_of(content: bytes) -> bytes:
    """The same bytes at any time."""
    return gzip.compress(content, mtime=0)


def twice(content: bytes) -> bytes:
    return gzip_of(content[:7]) + gzip_of(content[7:])


def fetch(http, raw, target="/out", **options):
    return bytes_of(http.fetch_public(f"{raw.url}{target}", reach=Reach(own=raw.url), **options))


@pytest.mark.parametrize(
    "status",
    [408, 425, 429, 500, 501, 502, 503, 504, 507, 511, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529, 530, 599],
)
async def test_troubles_that_pass(http, raw, status):
    raw.answer = lambda _: answer(status, b"<html>busy</html>")
    with pytest.raises(ProviderUnavailable, match=str(status)) as caught:
        await fetch(http, raw)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "status", [204, 205, 206, 300, 304, 400, 401, 402, 405, 406, 409, 411, 416, 418, 422, 451]
)
async def test_answers_that_stay(http, raw, status):
    raw.answer = lambda _: answer(status)
    with pytest.raises(OutputUnavailable, match=str(status)) as caught:
        await fetch(http, raw, is_fresh=True)
    assert caught.value.charged is Charged.YES


@pytest.mark.parametrize("status", [202, 403, 404, 410])
async def test_a_fresh_file_may_be_missing_for_a_while(raw, status):
    http = HttpClient("1.0", missing_s=0.2)
    raw.answer = lambda _: answer(status)
    account = Account(http, f"{raw.url}/v1")
    wanted = account.fetch_public(f"{raw.url}/out?sig=1")
    with pytest.raises(ProviderUnavailable, match="not there yet"):
        await bytes_of(wanted)
    raw.answer = lambda _: ok(PNG)
    assert await bytes_of(wanted) == PNG
    raw.answer = lambda _: answer(status)
    with pytest.raises(ProviderUnavailable, match="not there yet"):
        await bytes_of(wanted)
    await asyncio.sleep(0.25)
    with pytest.raises(OutputUnavailable, match=str(status)):
        await bytes_of(wanted)
    with pytest.raises(ProviderUnavailable, match="not there yet"):
        await bytes_of(account.fetch_public(f"{raw.url}/another"))
    await http.close()


@pytest.mark.parametrize(
    ("status", "because"),
    [
        (401, FailureCode.AUTHENTICATION_FAILED),
        (402, FailureCode.QUOTA_EXHAUSTED),
        *((status, FailureCode.PROVIDER_REJECTED) for status in (400, 403, 405, 409, 423, 451)),
    ],
)
async def test_a_vendor_that_refuses_its_own_path_refuses_a_question(http, raw, status, because):
    account = Account(http, f"{raw.url}/v1", {"Authorization": "Bearer a-key-that-is-long"})
    raw.answer = lambda _: answer(status)
    wanted = account.fetch_own("/videos/1/content")
    for _ in range(3):
        with pytest.raises(QuestionRefused, match=str(status)) as caught:
            await bytes_of(wanted)
        assert caught.value.because is because
        assert not caught.value.missing
    raw.answer = lambda _: ok(PNG)
    assert await bytes_of(wanted) == PNG


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_what_a_caller_names_is_not_waited_for(http, raw, status):
    raw.answer = lambda _: answer(status)
    with pytest.raises(OutputUnavailable, match=str(status)):
        await fetch(http, raw)


@pytest.mark.parametrize(
    "given",
    [
        answer(200, PNG, length=len(PNG) + 1),
        answer(200, PNG[:5], length=1000),
        answer(200, gzip.compress(PNG)[:20], {"Content-Encoding": "gzip"}),
        answer(200, gzip.compress(PNG)[:-5] + b"xxxxx", {"Content-Encoding": "gzip"}),
        answer(200, zlib.compress(PNG)[:-2], {"Content-Encoding": "deflate"}),
        answer(200, PNG, {"Content-Encoding": "br"}),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"220 smtp.example ESMTP\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
    ids=range(12),
)
async def test_what_is_broken_is_fetched_again(http, raw, given):
    answers = [given, ok(PNG)]
    raw.answer = lambda _: answers.pop(0)
    wanted = Account(http, f"{raw.url}/v1").fetch_public(f"{raw.url}/out?sig=secret")
    with pytest.raises(AnswerLost) as caught:
        await bytes_of(wanted)
    assert "secret" not in str(caught.value)
    assert await bytes_of(wanted) == PNG


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", answer(200, b"x" * 10, length=99)]
)
async def test_what_stalls_has_broken_off(http, raw, monkeypatch, said):
    monkeypatch.setattr(download, "STALLED_S", 0.2)
    hold = asyncio.Event()

    async def handler(reader, writer):
        writer.write(said)
        await hold.wait()
        writer.close()

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(AnswerLost):
        await bytes_of(http.fetch_public(f"{url}/out", reach=Reach(own=url)))
    hold.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "kind",
    ["text/html", "text/html; charset=utf-8", "application/json", "text/plain", "x", "image/png;;;", "\xff"],
)
async def test_a_header_judges_nothing(http, raw, kind):
    raw.answer = lambda _: ok(PNG, kind)
    assert await fetch(http, raw) == PNG


async def test_a_file_without_a_length_or_a_type(http, raw):
    raw.answer = lambda _: b"HTTP/1.1 200 OK\r\n\r\n" + PNG
    assert await fetch(http, raw) == PNG


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip", "deflate", "identity", "", "utf-8", "aws-chunked"])
@pytest.mark.parametrize("packed", [bytes, gzip_of, zlib.compress, raw_deflate, twice])
async def test_what_is_packed_is_unpacked_and_what_only_says_so_is_taken(http, raw, name, packed):
    raw.answer = lambda _: answer(200, packed(PNG), {"Content-Encoding": name})
    is_known = (packed, name) in {(zlib.compress, "deflate"), (raw_deflate, "deflate")} or (
        packed in {gzip_of, twice} and "gzip" in name.lower()
    )
    assert await fetch(http, raw) == (PNG if is_known or packed is bytes else packed(PNG))
    assert raw.asked[0].headers["accept-encoding"] == "identity"


async def test_a_file_that_is_packed_well_comes_in_pieces(http, raw):
    raw.answer = lambda _: answer(200, gzip.compress(bytes(50 << 20)), {"Content-Encoding": "gzip"})
    with pytest.raises(OutputUnavailable, match="more than"):
        await fetch(http, raw, limit_bytes=5 << 20)
    chunks = http.fetch_public(f"{raw.url}/out", reach=Reach(own=raw.url))
    sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == 50 << 20
    assert max(sizes) <= 1 << 20


async def test_an_input_of_a_caller_is_the_callers(http, raw):
    account = Account(
        http, f"{raw.url}/v1", {"Authorization": "Bearer secret-of-ours"}, allowed_hosts=frozenset({"127.0.0.1"})
    )
    for url in (
        f"{raw.url}/x",
        f"{raw.url}/v1/x",
        "https://10.0.0.1/x?sig=secret",
        "nonsense",
        "https://",
        "https://127.1/",
    ):
        with pytest.raises(InvalidInput) as caught:
            await account.fetch_input(url)
        assert "secret" not in caught.value.message
        assert caught.value.charged is Charged.NO
    assert raw.asked == []
