"""Bodies that the system sends from a file."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import uvloop

from genpulse.api.server.file_sender import file_sender_in
from genpulse.api.server.uvicorn_protocol import GatheringProtocol
from tests.integration.api.test_uvicorn_protocol import served

WHOLE = os.urandom(1 << 20) * 12
"""More than the system holds of what a client does not take."""
ENVIRONMENT = "/proc/self/environ"
"""A file whose file system knows no sendfile(2)."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "whole"
    path.write_bytes(WHOLE)
    return path


def app_with(told):
    """Sends of the file in the query the part that it names; what that raised is appended to `told`."""

    async def app(scope, receive, send):
        if scope["path"] == "/gone":
            while (await receive())["type"] != "http.disconnect":
                pass
            await asyncio.sleep(0.1)
        path, start, end = scope["query_string"].decode().split(",")
        start, end = int(start), int(end)
        length = (b"content-length", b"%d" % (end - start))
        with Path(path).open("rb", buffering=0) as part:
            await send({"type": "http.response.start", "status": 200, "headers": [length]})
            sender = file_sender_in(scope)
            if sender is None:
                await send({"type": "http.response.body", "body": part.read()[start:end], "more_body": True})
            try:
                if sender is not None:
                    await sender.send(part, start, end)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                told.append(error)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        told.append(scope["path"])

    return app


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    """Runs what is done with the port of a server, and gives what it was told."""

    def run_with_server(scenario, protocol=GatheringProtocol):
        async def serve():
            told = []
            async with served(protocol, app=app_with(told)) as port, asyncio.timeout(120):
                await scenario(port, told)
            return told

        before = len(descriptors())
        told = request.param(serve())
        ends_at = time.monotonic() + 60
        while len(descriptors()) > before:  # a thread closes them after its call
            assert time.monotonic() < ends_at, "descriptors stay open"
            time.sleep(0.01)
        return told

    return run_with_server


def descriptors(process="self"):
    """The names of those of a process that are of the file, or of connections."""
    names = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            names.append(link.readlink().name)
    return [name for name in names if name == "whole" or name.startswith("socket:")]


def request(path, start, end, name="/"):
    return f"GET {name}?{path},{start},{end} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    (length,) = (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return await reader.readexactly(int(length.partition(b":")[2]))


async def asked(port, *requests):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(b"".join(requests))
    try:
        return [await answer(reader) for _ in requests]
    finally:
        writer.close()
        await writer.wait_closed()


PARTS = [(0, len(WHOLE)), (0, 1), (5, 5), (len(WHOLE) - 1, len(WHOLE)), (999, 3_000_001)]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_comes_as_it_is(run, file, part):
    async def scenario(port, _):
        assert await asked(port, request(file, *part)) == [WHOLE[slice(*part)]]

    assert run(scenario) == ["/"]


def test_answers_to_requests_that_come_together_come_in_their_order(run, file):
    async def scenario(port, _):
        found = await asked(port, *(request(file, *part) for part in PARTS + PARTS[::-1]))
        assert found == [WHOLE[slice(*part)] for part in PARTS + PARTS[::-1]]

    run(scenario)


def test_many_at_once_get_theirs(run, file):
    async def scenario(port, _):
        parts = [(number, 3_000_000 + 7 * number) for number in range(40)]
        found = await asyncio.gather(*(asked(port, request(file, *part)) for part in parts))
        assert [body for (body,) in found] == [WHOLE[slice(*part)] for part in parts]

    run(scenario)


def test_a_client_that_takes_it_slowly_gets_all_of_it(run, file):
    async def scenario(port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        writer.write(request(file, 0, len(WHOLE)))
        await reader.readuntil(b"\r\n\r\n")
        found = bytearray()
        while len(found) < len(WHOLE):
            found += await reader.read(1 << 18)
            await asyncio.sleep(0.005)
        assert found == WHOLE
        writer.close()

    class Impatient(GatheringProtocol):
        taken_s = 0.3

    assert run(scenario, Impatient) == ["/"]


def test_a_client_that_takes_nothing_is_left(run, file):
    async def scenario(port, told):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(request(file, 0, len(WHOLE)))
        while not told:
            await asyncio.sleep(0.02)
        writer.close()

    class Impatient(GatheringProtocol):
        taken_s = 0.3

    assert run(scenario, Impatient) == ["/"]


@pytest.mark.parametrize("reads", [0, 100_000], ids=["at once", "in the middle"])
def test_clients_that_leave_leave_nothing_open(run, file, reads):
    async def scenario(port, told):
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(file, 0, len(WHOLE)))
            if reads:
                await reader.readexactly(reads)
            writer.transport.abort()
        if reads:
            while len(told) < 20:
                await asyncio.sleep(0.01)

    assert set(run(scenario)) <= {"/"}


def test_a_client_that_was_gone_before_the_head_is_no_error(run, file):
    async def scenario(port, told):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(file, 0, len(WHOLE), "/gone"))
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        while not told:
            await asyncio.sleep(0.01)

    assert run(scenario) == ["/gone"]


def test_resets_at_any_moment_harm_nobody_else(run, file):
    """A descriptor that somebody still watches, or writes to, would be that of the next client."""

    async def scenario(port, _):
        async def leave(after_s):
            client = socket.create_connection(("127.0.0.1", port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(request(file, 0, len(WHOLE)))
            await asyncio.sleep(after_s)
            client.close()

        async def stay():
            assert await asked(port, request(file, 3, 900_000)) == [WHOLE[3:900_000]]

        for turn in range(15):
            async with asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(leave((number * 7 + turn) % 20 / 1000))
                    if number % 5 == 0:
                        group.create_task(stay())

    assert set(run(scenario)) == {"/"}


def test_a_server_that_stops_meanwhile_waits_for_those_who_take(run, file):
    taken = []

    async def scenario(port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        writer.write(request(file, 0, len(WHOLE)))
        await reader.readuntil(b"\r\n\r\n")

        async def take():
            taken.append(await reader.readexactly(len(WHOLE)))
            writer.close()

        taken.append(asyncio.create_task(take()))

    assert run(scenario) == ["/"]
    assert taken[1] == WHOLE


def test_a_file_that_is_shorter_breaks_off(run, file):
    async def scenario(port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(request(file, len(WHOLE) - 10, len(WHOLE) + 1))
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == WHOLE[-10:]
        writer.close()

    (error,) = run(scenario)
    assert isinstance(error, EOFError)


def test_a_file_system_without_sendfile_is_read(run):
    whole = Path(ENVIRONMENT).read_bytes()

    async def scenario(port, _):
        assert await asked(port, request(ENVIRONMENT, 0, len(whole))) == [whole]
        assert await asked(port, request(ENVIRONMENT, 3, 9)) == [whole[3:9]]

    assert run(scenario) == ["/", "/"]


def test_a_request_that_is_pipelined_behind_a_file_is_not_answered_into_it(run, file):
    """The second one's head comes while the system still sends the first one's body."""

    async def scenario(port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        writer.write(request(file, 0, len(WHOLE), "/first"))
        await reader.readexactly(100)
        writer.write(request(file, 1, 9, "/second"))
        rest = bytearray()
        while not rest.endswith(WHOLE[1:9]) or b"HTTP/1.1 200" not in rest[-400:]:
            rest += await reader.read(1 << 18)
            await asyncio.sleep(0.002)
        body, _, second = bytes(rest).rpartition(b"HTTP/1.1 200 OK")
        assert body.endswith(WHOLE[-1000:])
        assert second.endswith(b"\r\n\r\n" + WHOLE[1:9])
        writer.close()

    assert run(scenario) == ["/first", "/second"]


_DESCRIPTORS = 300
_SERVER = f"""
import asyncio, resource, uvloop
resource.setrlimit(resource.RLIMIT_NOFILE, ({_DESCRIPTORS}, {_DESCRIPTORS}))
from tests.integration.api.test_file_sender import app_with, served

async def main():
    async with served(app=app_with([])) as port:
        print(port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, input)

uvloop.run(main())
"""


def test_files_that_are_being_sent_leave_descriptors_for_others(file):
    """Forty clients that take nothing: a few have the file and a copy of it, the others had it read."""
    with ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        stack.callback(server.kill)
        port = int(server.stdout.readline())
        for number in range(40):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            client.sendall(request(file, 0, len(WHOLE)))
            client.recv(1)
            while descriptors(server.pid).count("whole") < 2 * min(number, _DESCRIPTORS // 17):
                time.sleep(0.01)
        assert descriptors(server.pid).count("whole") <= 2 * _DESCRIPTORS // 15
