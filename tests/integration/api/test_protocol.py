import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn
import uvloop

from genpulse.api.protocol import GatheringProtocol

LARGE = b"fox" * 100_000


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
    bodies = {"/large": [LARGE], "/pieces": [b"a", LARGE, b"b"]}.get(path, [path.encode()])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if path == "/slow":
        await asyncio.sleep(0.2)
    for body in bodies:
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@asynccontextmanager
async def served():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, http=GatheringProtocol, log_config=None, lifespan="off", access_log=False)
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
