"""Many connections of one client, and what is left for others."""

import asyncio
import gc
import socket
import subprocess
import sys
import weakref
from collections import Counter
from contextlib import ExitStack, asynccontextmanager, nullcontext

import aiohttp
import pytest
import uvicorn
import uvloop

from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from genpulse.api.server.connections_per_peer import PEERS, Peers
from genpulse.api.server.uvicorn_protocol import GatheringProtocol

ONE, OTHER = "127.0.0.2", "127.0.0.3"
GET = b"GET /a HTTP/1.1\r\nHost: here\r\n\r\n"


def app_with(peers):
    """Answers at once, or never where the path says so."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            scope["state"][PEERS] = peers
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = bytes(40_000) if scope["path"] == "/some" else b"ok"
        length = str(len(body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        if scope["path"] == "/never":
            await send({"type": "http.response.body", "body": b"o", "more_body": True})
            while (await receive())["type"] != "http.disconnect":
                pass
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return app


def served(peers):
    """A server whose connections are counted so."""
    return serving(app_with(peers))


@asynccontextmanager
async def serving(app):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.listen(1024)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        config = uvicorn.Config(
            app, http=GatheringProtocol, ws="none", log_config=None, lifespan="on", access_log=False
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            await running


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    """Runs what is done with the port of a server whose connections are counted so."""

    def run_with_server(peers, scenario):
        async def serve():
            async with served(peers) as port:
                await scenario(port)

        request.param(serve())

    return run_with_server


async def opened(port, address):
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))


async def status(port, address, request=GET):
    """Of a request on a connection of its own."""
    reader, writer = await opened(port, address)
    writer.write(request)
    line = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    return line.decode().split()[1]


def test_300_silent_connections_of_one_client_shut_nobody_out(run):
    async def scenario(port):
        silent = [await opened(port, ONE) for _ in range(300)]
        assert await status(port, OTHER) == "200"
        assert await status(port, ONE) == "200"
        ended = [asyncio.create_task(reader.read()) for reader, _ in silent]
        async with asyncio.timeout(20):
            while sum(task.done() for task in ended) < 285:
                await asyncio.sleep(0.01)
        assert [task.result() for task in ended if task.done()] == [b""] * 285
        assert 285 <= peers.closed["peer"] <= 286
        for _, writer in silent:
            writer.close()

    peers = Peers(16, 10_000)
    run(peers, scenario)


def test_a_client_whose_connections_are_all_answered_is_told_so(run):
    async def scenario(port):
        busy = [await opened(port, ONE) for _ in range(5)]
        for reader, writer in busy:
            writer.write(GET.replace(b"/a", b"/never"))
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\no"), 20)
        assert await status(port, ONE) == "503"
        assert await status(port, OTHER) == "200"
        busy[0][1].close()
        async with asyncio.timeout(20):
            while await status(port, ONE) != "200":
                await asyncio.sleep(0.01)
        for _, writer in busy:
            writer.close()

    run(Peers(5, 10_000), scenario)


@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nX:", GET, b""], ids=["half a head", "an answer", "nothing"])
def test_what_was_sent_before_is_no_reason_to_stay(run, begin):
    async def scenario(port):
        reader, writer = await opened(port, ONE)
        writer.write(begin)
        if begin == GET:
            await asyncio.wait_for(reader.readuntil(b"ok"), 20)
        for _ in range(3):
            assert await status(port, ONE) == "200"
        rest = await asyncio.wait_for(reader.read(), 20)
        assert rest.startswith(b"HTTP/1.1 408") if begin.endswith(b"X:") else rest == b""
        writer.close()

    run(Peers(1, 10_000), scenario)


def test_a_connection_that_is_used_stays_where_silent_ones_give_way(run):
    async def scenario(port):
        reader, writer = await opened(port, ONE)
        silent = []
        for _ in range(10):
            silent.append(await opened(port, ONE))
            writer.write(GET)
            await asyncio.wait_for(reader.readuntil(b"ok"), 20)
        for _, other in (*silent, (reader, writer)):
            other.close()

    run(Peers(3, 10_000), scenario)


def test_who_gives_way_is_not_waited_for_to_take_an_answer(run):
    async def scenario(port):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.bind((ONE, 0))
            client.connect(("127.0.0.1", port))
            client.sendall(GET.replace(b"/a", b"/some"))
            await asyncio.to_thread(client.recv, 1, socket.MSG_PEEK)
            assert await status(port, ONE) == "200"
            with pytest.raises(ConnectionResetError):
                await asyncio.to_thread(read_to_the_end, client)

    run(Peers(1, 10_000), scenario)


def read_to_the_end(client):
    while client.recv(4096):
        pass


def test_a_client_that_goes_is_no_longer_counted(run):
    async def scenario(port):
        for _ in range(50):
            _, writer = await opened(port, ONE)
            writer.write(GET)
            writer.transport.abort()
        async with asyncio.timeout(20):
            while peers.open:
                await asyncio.sleep(0.01)

    peers = Peers(100, 10_000)
    run(peers, scenario)


def test_requests_without_end_that_wait_for_one_answer_are_not_kept(run):
    async def scenario(port):
        reader, writer = await opened(port, ONE)
        writer.write(GET.replace(b"/a", b"/never") + GET * 20_000)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(10_000), 20)
        writer.close()

    run(Peers(5, 10_000), scenario)


def test_a_wish_for_another_protocol_is_answered_as_it_is(run, caplog):
    async def scenario(port):
        wish = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
        assert await status(port, ONE, GET.removesuffix(b"\r\n") + wish) == "200"

    run(Peers(5, 10_000), scenario)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


_FEW = 96
_SERVER = f"""
import asyncio, resource, uvloop
resource.setrlimit(resource.RLIMIT_NOFILE, ({_FEW}, {_FEW}))
from genpulse.api.server.connections_per_peer import Peers, most_connections
from tests.integration.api.test_connections import served

async def main():
    async with served(Peers(1_000_000, most_connections())) as port:
        print(port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, input)

uvloop.run(main())
"""


def test_a_client_with_more_connections_than_there_are_descriptors_shuts_nobody_out():
    command = [sys.executable, "-c", _SERVER]
    with ExitStack() as stack:
        server = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        stack.callback(server.kill)
        port = int(server.stdout.readline())
        for _ in range(3 * _FEW):
            silent = socket.create_connection(("127.0.0.1", port), 20, (ONE, 0))
            stack.callback(silent.close)
        found = Counter(asyncio.run(status(port, address)) for address in [OTHER, ONE] * 5)
        assert found == {"200": 10}


async def test_the_application_bounds_them_and_its_figures_tell(serve):
    services = (await serve()).services
    app = create_app(lambda: nullcontext(services), ApiOptions(connections_per_peer=3))
    async with serving(app) as port:
        silent = [await opened(port, ONE) for _ in range(10)]
        async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()
        for _, writer in silent:
            writer.close()
    assert "genpulse_http_connections 4.0" in text
    assert 'genpulse_http_connections_closed_total{reason="peer"} 7.0' in text
    assert 'genpulse_http_connections_closed_total{reason="descriptors"} 0.0' in text


def living_protocols():
    return [weakref.ref(one) for one in gc.get_objects() if isinstance(one, GatheringProtocol)]


def test_a_closed_connection_is_freed_without_the_garbage_collector(run):
    """It holds its last request and answer, and the collector comes by seldom."""

    async def scenario(port):
        gc.collect()
        before = {id(one()) for one in living_protocols()}
        gc.disable()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            await reader.readuntil(b"ok")
            (ours,) = [one for one in living_protocols() if id(one()) not in before]
            writer.close()
            await writer.wait_closed()
            for _ in range(500):
                if ours() is None:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError("it is still there")
        finally:
            gc.enable()

    run(None, scenario)
