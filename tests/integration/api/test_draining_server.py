"""What a server does for connections that come as it stops."""

import asyncio
import socket
import ssl

import pytest
import uvicorn
import uvloop

from genpulse.api.server.draining_server import DrainingServer
from genpulse.api.server.uvicorn_protocol import GatheringProtocol
from tests.certificates import write_certificate

REQUEST = b"POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nfox"


async def app(scope, receive, send):
    """Answers with the body."""
    body = (await receive()).get("body", b"")
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def started(**options):
    config = uvicorn.Config(
        app, port=0, http=GatheringProtocol, log_config=None, lifespan="off", access_log=False, **options
    )
    config.load()
    server = DrainingServer(config, drain_s=0)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    return server, server.servers[0].sockets[0].getsockname()


def read(connection):
    """All that comes until the end."""
    with connection:
        connection.settimeout(60)
        chunks = []
        while chunk := connection.recv(4096):
            chunks.append(chunk)
    return b"".join(chunks)


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


def test_who_was_taken_by_the_system_alone_is_answered(run):
    async def scenario():
        server, address = await started()
        # All of this is between two turns of the loop: the server has seen none of them.
        clients = [socket.create_connection(address) for _ in range(5)]
        for client in clients:
            client.sendall(REQUEST)
        await server.shutdown()
        for answer in [await asyncio.to_thread(read, client) for client in clients]:
            assert answer.startswith(b"HTTP/1.1 202")
            assert b"fox" in answer
        with pytest.raises(ConnectionError):
            socket.create_connection(address)

    run(scenario())


def test_who_was_taken_and_has_not_asked_yet_is_waited_for(run):
    async def scenario():
        server, address = await started()
        client, silent = socket.create_connection(address), socket.create_connection(address)
        while len(server.server_state.connections) < 2:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(server.shutdown())
        await asyncio.sleep(0)
        client.sendall(REQUEST)
        answer = await asyncio.to_thread(read, client)
        assert answer.startswith(b"HTTP/1.1 202")
        assert await asyncio.to_thread(read, silent) == b""
        await stopping

    run(scenario())


def test_who_was_answered_on_a_connection_is_closed(run):
    async def scenario():
        server, address = await started()
        with socket.create_connection(address) as client:
            client.sendall(REQUEST)
            assert (await asyncio.to_thread(client.recv, 4096)).startswith(b"HTTP/1.1 202")
            await server.shutdown()
            assert client.recv(1) == b""

    run(scenario())


def test_by_tls_as_well(run, tmp_path):
    certificate = write_certificate(tmp_path / "server.pem")

    def ask(client):
        trust = ssl.create_default_context(cafile=certificate)
        with trust.wrap_socket(client, server_hostname="localhost") as wrapped:
            wrapped.sendall(REQUEST)
            return wrapped.recv(4096)

    async def scenario():
        server, address = await started(ssl_certfile=certificate, ssl_keyfile=certificate)
        asking = asyncio.get_running_loop().run_in_executor(None, ask, socket.create_connection(address))
        await server.shutdown()
        assert (await asking).startswith(b"HTTP/1.1 202")

    run(scenario())
