"""Receivers of messages that answer in every way that there is, and in some that there should not be."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

TAKEN = {
    "nothing after the status line": b"HTTP/1.1 200 OK\r\n",
    "headers without an end": b"HTTP/1.1 200 OK\r\nX: y\r\n",
    "a chunk that is none": CHUNKED + b"ZZ\r\nhello",
    "a chunk of an absurd size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"f" * 400
    + b"\r\nhello",
    "less than was announced": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello",
    "more than was announced": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + b"hello" * 100_000,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
    "a length of 400 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\n",
    "a length below 0": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "digits that are none here": "HTTP/1.1 200 OK\r\nContent-Length: ²٣\r\n\r\n".encode(),
    "headers that are none": b"HTTP/1.1 200 OK\r\n\xff\xfe\x00: \x00\r\n: \r\n\r\n",
    "a header of 100 KB": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "100,000 headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(100_000)) + b"\r\n",
    "no reason": b"HTTP/1.1 200\r\n\r\n",
    "line ends of Unix": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "HTTP/2 in words": b"HTTP/2 200 OK\r\n\r\n",
    "created, accepted, anything": b"HTTP/1.1 299 Whatever\r\n\r\n",
    "after hints": b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 202 Yes\r\n\r\n",
    "what is no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip",
    "a bomb": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(50_000_000), 1),
}
NOT_TAKEN = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 200 OK",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x50\r\n\r\n",
    "only zeros": bytes(1_000_000),
    "no line end": b"HTTP/1.1 " + b"2" * 1_000_000,
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status of two": b"HTTP/1.1 20 OK\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\n\r\n",
    "other digits": "HTTP/1.1 ٢٠٠ OK\r\n\r\n".encode(),
    "spaces first": b" HTTP/1.1 200 OK\r\n\r\n",
    "only hints": b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    "hints in the thousands": b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 100_000,
    "one hint with very many headers": b"HTTP/1.1 103 Hints\r\n" + b"X: y\r\n" * 1_000_000,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
    "a reason of odd bytes": b"HTTP/1.1 500 no \xff\xed\xa0\x80\x00\x1b[2J\r\n\r\n",
    "a long reason": b"HTTP/1.1 500 " + b"\xf0\x9f\x92\xa9" * 3000 + b"\r\n\r\n",
    "status 999": b"HTTP/1.1 999 x\r\n\r\n",
}

ODD_WAITS = [
    "Mon, 01 Jan 2030 00:00:00 +99999999999999999999",
    "Mon, 01 Jan 2030 00:00:00 -9999",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2300",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2300",
    "Mon, 99 Jan 2030 99:99:99 GMT",
    "Mon, 01 Jan 99999999999 00:00:00 GMT",
    *("nan", "inf", "-inf", "-1", "-0", "1e400", "0x10", "+5", "", " ", ",", "²", "٣", "9" * 400, "9" * 19),
    *("9" * 20 + ".9", "5.5", "1_000", "\x00", "\xff", "5, 6", "Mon", "GMT", "00:00", "1" * 20 + "." + "1" * 20),
]


@asynccontextmanager
async def receiver(talk: Talk, *, reads: bool = True) -> AsyncIterator[str]:
    """A server that has read the request when it talks, if it `reads`; the body gets its URL."""
    talking: set[asyncio.Task[None]] = set()

    async def serve(reader, writer):
        talking.add(asyncio.current_task())
        try:
            if reads:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r")[0]))
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        if talking:
            await asyncio.wait(talking, timeout=5)


def says(*answers: bytes, resets: bool = False, hangs: bool = False) -> Talk:
    """Each answer in one packet, and then a close, a reset, or nothing. What comes after the last is taken."""
    left = list(answers)

    async def talk(reader, writer):
        writer.write(left.pop(0) if left else b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        if resets:
            writer.transport.abort()
        if hangs:
            await reader.read()

    return talk
