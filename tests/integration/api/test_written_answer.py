"""Whether a client has read its answer, told by its connection."""

import asyncio
import socket
import ssl
import struct
from contextlib import asynccontextmanager

import pytest
import uvicorn
import uvloop

from genpulse.api.server.uvicorn_protocol import GatheringProtocol
from genpulse.api.server.written_answer import WrittenAnswer, when_unread
from tests import certificates

ASK = b"GET /%d HTTP/1.1\r\nhost: here\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


class Application:
    """Answers with its path, and knows which answers were not read."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answered: list[str] = []
        self.unread: list[str] = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.set()
        await self.may_answer.wait()
        headers = [(b"content-length", b"%d" % len(path))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": path.encode()})
        when_unread(scope, lambda: self.unread.append(path))
        self.answered.append(path)

    async def until(self, condition):
        async with asyncio.timeout(30):
            while not condition(self):
                await asyncio.sleep(0.005)


@asynccontextmanager
async def served(**options):
    app = Application()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=GatheringProtocol, ws="none", lifespan="off", log_config=None, **options)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await wait_for(lambda: server.started)
    try:
        yield app, server, listener.getsockname()
    finally:
        server.should_exit = True
        await task


async def wait_for(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def gone(server):
    return not server.server_state.connections


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


@pytest.fixture(params=["http", "https"])
def scene(request, tmp_path, run):
    """Runs a scenario with the application, its server, and a way to connect."""

    def play(scenario):
        async def on_stage():
            options, wrap = {}, None
            if request.param == "https":
                authority, chain = certificates.write_authority(tmp_path)
                options, wrap = {"ssl_certfile": chain}, ssl.create_default_context(cafile=authority)
            async with served(**options) as (app, server, address):

                def connect():
                    plain = socket.create_connection(address)
                    return wrap.wrap_socket(plain, server_hostname="localhost") if wrap else plain

                await scenario(app, server, lambda: asyncio.to_thread(connect))

        run(on_stage())

    return play


async def read(client, text):
    seen = b""
    while not seen.endswith(text):
        seen += await asyncio.to_thread(client.recv, 4096)


def test_what_is_read_before_the_client_leaves_is_read(scene):
    async def scenario(app, server, connect):
        client = await connect()
        client.sendall(ASK % 1)
        await read(client, b"/1")
        client.close()
        await wait_for(lambda: gone(server))
        assert app.unread == []

    scene(scenario)


def test_one_that_leaves_the_answer_lying_has_not_read_it(scene):
    async def scenario(app, server, connect):
        client = await connect()
        client.sendall(ASK % 1)
        await app.until(lambda app: app.answered == ["/1"])
        await asyncio.sleep(0.05)  # it lies in the client's buffer
        client.close()
        await wait_for(lambda: gone(server))
        assert app.unread == ["/1"]

    scene(scenario)


def test_one_that_resets_the_connection_has_not_read_it(scene):
    async def scenario(app, server, connect):
        client = await connect()
        client.sendall(ASK % 1)
        await app.until(lambda app: app.answered == ["/1"])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        await wait_for(lambda: gone(server))
        assert app.unread == ["/1"]

    scene(scenario)


def test_one_that_left_before_the_answer_has_not_read_it(scene):
    async def scenario(app, server, connect):
        app.may_answer.clear()
        client = await connect()
        client.sendall(ASK % 1)
        await app.until(lambda app: app.asked.is_set())
        client.close()
        await wait_for(lambda: gone(server))
        app.may_answer.set()
        await app.until(lambda app: app.unread == ["/1"])

    scene(scenario)


def test_who_asks_on_has_read_what_was_answered(scene):
    async def scenario(app, server, connect):
        client = await connect()
        client.sendall(ASK % 1)
        await read(client, b"/1")
        client.sendall(ASK % 2)
        await app.until(lambda app: app.answered == ["/1", "/2"])
        await asyncio.sleep(0.05)
        client.close()
        await wait_for(lambda: gone(server))
        assert app.unread == ["/2"]

    scene(scenario)


def test_an_answer_to_a_call_that_closes_is_read(scene):
    async def scenario(app, server, connect):
        client = await connect()
        client.sendall(b"GET /1 HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        await read(client, b"/1")
        client.close()
        await wait_for(lambda: gone(server))
        assert app.unread == []

    scene(scenario)


def test_each_is_told_once_and_late_ones_at_once():
    told = []
    answer = WrittenAnswer()
    answer.when_unread(lambda: told.append(1))
    answer.note_unread()
    answer.note_unread()
    answer.when_unread(lambda: told.append(2))
    assert told == [1, 2]


def test_nobody_is_told_where_the_server_does_not_watch():
    when_unread({}, pytest.fail)
