"""Answers of a few kilobytes that unpack to hundreds of megabytes."""

import gzip
import zlib
from functools import cache

import pytest

from genpulse.domain.errors import OutputUnavailable
from genpulse.provider.http import AnswerLost, AnswerTooLarge, Reach, Reply, Request
from tests.fakes.raw import answer
from tests.memory import MIB, peak

SIZE = 128 * MIB
LIMIT = MIB
MOST_MIB = 40
"""Of memory, whatever comes: a limit of 1 MiB, what is read ahead, and what the interpreter keeps."""


@cache
def bomb(kind: str) -> bytes:
    """So many zeros, packed in this way."""
    zeros = bytes(16 * MIB)
    if kind == "members":
        return gzip.compress(zeros, 1) * (SIZE // len(zeros))
    if kind == "nested":
        return gzip.compress(bomb("gzip"))
    wbits = {"gzip": 31, "zlib": 15, "bare": -15}[kind]
    packing = zlib.compressobj(1, wbits=wbits)
    return b"".join([*(packing.compress(zeros) for _ in range(SIZE // len(zeros))), packing.flush()])


PACKED = [("gzip", "gzip"), ("members", "gzip"), ("zlib", "deflate"), ("bare", "deflate")]
NESTED = [("nested", "gzip"), ("nested", "gzip, gzip"), ("nested", "deflate, gzip")]
UNASKED = ["br", "zstd", "compress", "x-gzip", "gzip, br", "nonsense"]


@pytest.fixture(autouse=True)
def bombs():
    """Made before memory is measured."""
    for kind in ("gzip", "members", "nested", "zlib", "bare"):
        bomb(kind)


def packed(kind: str, encoding: str, status: int = 200) -> bytes:
    return answer(status, bomb(kind), {"Content-Encoding": encoding, "Content-Type": "application/json"})


async def size_of(chunks):
    return sum([len(chunk) async for chunk in chunks])


async def said(asked):
    """What comes of it, or how it was refused."""
    try:
        return await asked
    except (AnswerLost, OutputUnavailable) as error:
        return error


@pytest.mark.parametrize(("kind", "encoding"), PACKED)
async def test_an_answer_that_explodes_is_refused_at_its_limit(http, raw, kind, encoding):
    raw.answer = lambda _: packed(kind, encoding)
    with peak() as memory, pytest.raises(AnswerTooLarge, match="larger than 1,048,576 bytes"):
        await http.send(Request("POST", raw.url, json={}, limit_bytes=LIMIT))
    assert memory.stays_below(MOST_MIB), memory


@pytest.mark.parametrize(("kind", "encoding"), NESTED)
async def test_one_within_another_is_unpacked_once_at_most(http, raw, kind, encoding):
    raw.answer = lambda _: packed(kind, encoding)
    with peak() as memory:
        told = await said(http.send(Request("POST", raw.url, json={}, limit_bytes=LIMIT)))
    assert not isinstance(told, Reply) or len(told.body) <= len(bomb("gzip"))
    assert memory.stays_below(MOST_MIB), memory


@pytest.mark.parametrize("encoding", UNASKED)
async def test_what_was_not_asked_for_is_not_unpacked(http, raw, encoding):
    raw.answer = lambda _: packed("gzip", encoding)
    with peak() as memory:
        told = await said(http.send(Request("POST", raw.url, json={}, limit_bytes=LIMIT)))
    assert memory.stays_below(MOST_MIB), memory
    if isinstance(told, Reply):
        assert told.body == bomb("gzip")
    else:
        assert "packed in a way that was not asked for" in str(told)
        assert "nstall" not in str(told)


@pytest.mark.parametrize(("kind", "encoding"), PACKED)
async def test_a_refusal_that_explodes_is_read_as_far_as_its_limit(http, raw, kind, encoding):
    raw.answer = lambda _: packed(kind, encoding, status=500)
    with peak() as memory:
        reply = await http.send(Request("POST", raw.url, json={}, limit_bytes=LIMIT))
    assert (reply.status, len(reply.body) <= LIMIT) == (500, True)
    assert memory.stays_below(MOST_MIB), memory


@pytest.mark.parametrize(("kind", "encoding"), [*PACKED, ("gzip", "x-gzip"), *NESTED])
async def test_a_file_that_explodes_is_refused_at_its_limit(http, raw, kind, encoding):
    raw.answer = lambda _: packed(kind, encoding)
    with peak() as memory:
        told = await said(size_of(http.fetch_public(raw.url, reach=Reach(own=raw.url), limit_bytes=LIMIT)))
    if isinstance(told, OutputUnavailable):
        assert "it has more than 1,048,576 bytes" in str(told)
    else:
        assert isinstance(told, AnswerLost) or told <= LIMIT
    assert memory.stays_below(MOST_MIB), memory


async def test_one_without_a_limit_comes_in_pieces(http, raw):
    raw.answer = lambda _: packed("members", "gzip")
    with peak() as memory:
        assert await size_of(http.fetch_public(raw.url, reach=Reach(own=raw.url))) == SIZE
    assert memory.stays_below(MOST_MIB), memory
