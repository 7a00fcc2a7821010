import asyncio
import socket
from contextlib import asynccontextmanager, nullcontext

import pytest
import uvicorn
import uvloop

from genpulse.api.server.uvicorn_protocol import GatheringProtocol

LARGE = b"fox" * 100_000
MUCH = bytes(1 << 20)
SOME = bytes(40_000)
"""Less than a transport holds before it says that nobody takes it."""
BODIES = {"/large": [LARGE], "/pieces": [b"a", LARGE, b"b"], "/huge": 32 * [MUCH], "/some": [SOME]}
left: list[str] = []
"""Requests whose client was gone before it had its answer."""


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request, caplog):
    """Runs what is done with the port of a server, which has nothing to complain of."""

    def run_with_server(scenario):
        async def serve():
            async with served() as port:
                await scenario(port)

        request.param(serve())
        assert [record.message for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []

    return run_with_server


async def app(scope, receive, send):
    """Answers with its path, with a large body, in pieces, or when it is told to."""
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/after-the-body":
        await receive()
    bodies = BODIES.get(path, [path.encode()])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if path in {"/slow", "/slowly"}:
        await asyncio.sleep(0.2 if path == "/slow" else 2)
    leaving = asyncio.create_task(gone(receive)) if path == "/huge" else None
    for body in bodies:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if leaving is not None and leaving.done():
            left.append(path)
            return
    if leaving is not None:
        leaving.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def served(protocol=GatheringProtocol, buffered=None, app=app):
    """Its port; the system holds about so many bytes of each answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if buffered is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffered)
        config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off", access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def answer(reader):
    """Head, and the body by its chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return head, body


def request(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: here", *headers, "", ""]).encode()


@pytest.mark.parametrize(("path", "body"), [("/a", b"/a"), ("/large", LARGE), ("/pieces", b"a" + LARGE + b"b")])
def test_answers_are_whole(run, path, body):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(request(path))
            head, found = await answer(reader)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert found == body
        writer.close()

    run(scenario)


def test_requests_that_come_together_are_answered_in_their_order(run):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(request(f"/{number}") for number in range(50)))
        assert [(await answer(reader))[1] for _ in range(50)] == [b"/%d" % number for number in range(50)]
        writer.close()

    run(scenario)


def test_a_connection_that_is_to_close_gets_its_answer_first(run):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/last", "Connection: close"))
        assert (await answer(reader))[1] == b"/last"
        assert await reader.read() == b""
        writer.close()

    run(scenario)


def test_a_client_that_expects_to_be_asked_for_its_body_is_asked(run):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /after-the-body HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        writer.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert (await answer(reader))[1] == b"/after-the-body"
        writer.close()

    run(scenario)


@pytest.mark.parametrize("path", ["/a", "/slow", "/large"])
def test_a_client_that_leaves_at_once_is_no_error(run, path):
    async def scenario(port):
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(path))
            writer.transport.abort()
        await asyncio.sleep(0.4)

    run(scenario)


class Impatient(GatheringProtocol):
    head_s = 0.3
    taken_s = 0.3


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run_impatient(request):
    """Runs what is done with the port of a server that waits for nobody."""

    def run_with_server(scenario):
        async def serve():
            async with served(Impatient) as port:
                await scenario(port)

        left.clear()
        request.param(serve())

    return run_with_server


@pytest.mark.parametrize(
    ("before", "begin"),
    [(b"", b""), (b"", b"GET /a HTTP/1.1\r\nHost: h"), (request("/a"), b"GET /a HTTP/1.1\r\nHost: h")],
    ids=["nothing", "the first", "the second"],
)
def test_a_head_that_does_not_come_is_not_waited_for(run_impatient, begin, before):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if before:
            writer.write(before)
            await answer(reader)
        writer.write(begin)
        rest = await asyncio.wait_for(reader.read(), 60)
        assert rest.startswith(b"HTTP/1.1 408") if begin else rest == b""
        writer.close()

    run_impatient(scenario)


def test_a_head_without_an_end_is_not_kept(run):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: " + bytes(1 << 16).replace(b"\0", b"x"))
        assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"HTTP/1.1 431")
        writer.close()

    run(scenario)


@pytest.mark.parametrize("before", [b"", request("/a")], ids=["the first", "the second"])
def test_line_ends_are_no_beginning_of_a_head(run_impatient, before):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if before:
            writer.write(before)
            await answer(reader)
        writer.write(b"\r\n")
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()

    run_impatient(scenario)


def test_a_body_that_drips_behind_its_answer_is_not_waited_for(run_impatient):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /a HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n")
        assert (await answer(reader))[1] == b"/a"
        reading = asyncio.create_task(reader.read())
        async with asyncio.timeout(60):
            while not reading.done():
                writer.write(b"x")
                await asyncio.sleep(0.02)
        writer.close()

    run_impatient(scenario)


def test_half_a_head_behind_a_request_puts_nothing_into_its_answer(run_impatient):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/slowly") + b"GET /a HTTP/1.1\r\nHost: h")
        assert b"408" not in await asyncio.wait_for(reader.read(), 60)
        writer.close()

    run_impatient(scenario)


def test_a_head_that_drips_is_not_waited_for(run_impatient):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        reading = asyncio.create_task(reader.readline())
        async with asyncio.timeout(60):
            while not reading.done():
                writer.write(b"x")
                await asyncio.sleep(0.02)
        assert (await reading).startswith(b"HTTP/1.1 408")
        writer.close()

    run_impatient(scenario)


def test_a_client_that_takes_nothing_is_left(run_impatient):
    async def scenario(port):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(request("/huge"))
        async with asyncio.timeout(60):
            while not left:
                await asyncio.sleep(0.02)
        writer.close()

    run_impatient(scenario)


def test_a_client_that_takes_it_slowly_gets_all_of_it(run_impatient):
    async def scenario(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        writer.write(request("/huge"))
        async with asyncio.timeout(60):
            await reader.readuntil(b"\r\n\r\n")
            size = 0
            while size < 32 * len(MUCH):
                size += len(await reader.read(1 << 18))
                await asyncio.sleep(0.005)
        assert not left
        writer.close()

    run_impatient(scenario)


def read_to_the_end(client):
    client.settimeout(60)
    while client.recv(4096):
        pass


class Noted(GatheringProtocol):
    taken_s = 1.0

    def connection_lost(self, exc):
        super().connection_lost(exc)
        left.append("the connection")


@pytest.mark.parametrize("start", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("takes", [False, True], ids=["nothing", "slowly"])
def test_the_end_of_an_answer_that_is_closed_is_not_kept_for_a_client_that_takes_nothing(start, takes):
    async def scenario():
        async with served(Noted, buffered=4096) as port:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", port))
                client.sendall(request("/some").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                taken = 0
                async with asyncio.timeout(60):
                    while takes and (piece := await asyncio.to_thread(client.recv, 4096)):
                        taken += len(piece)
                        await asyncio.sleep(0.05)
                    while not left:
                        await asyncio.sleep(0.02)
                assert taken > len(SOME) if takes else not taken
                with nullcontext() if takes else pytest.raises(ConnectionResetError):
                    await asyncio.to_thread(read_to_the_end, client)

    left.clear()
    start(scenario())
