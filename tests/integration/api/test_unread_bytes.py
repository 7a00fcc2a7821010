"""How much of an answer a client has taken, seen from here."""

import asyncio
import socket

import pytest
import uvloop

from genpulse.api.server.unread_bytes import untaken_bytes


class Sending(asyncio.Protocol):
    """Knows its transport."""

    def connection_made(self, transport):
        self.transport = transport


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_client_that_takes_little_is_seen_to_take_it(run):
    async def scenario():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(listening.getsockname())
            ours, _ = listening.accept()
            transport, _ = await loop.connect_accepted_socket(Sending, ours)
            assert untaken_bytes(transport) == 0
            transport.write(bytes(32 << 20))
            async with asyncio.timeout(20):
                before = 0
                while before != (before := untaken_bytes(transport)):
                    await asyncio.sleep(0.05)
                waiting = transport.get_write_buffer_size()
                assert 0 < waiting < before
                taken = 0
                while untaken_bytes(transport) >= before:
                    taken += len(await asyncio.to_thread(client.recv, 4096))
                    await asyncio.sleep(0.01)
            assert taken < 1 << 18
            assert transport.get_write_buffer_size() == waiting
            transport.abort()

    run(scenario())


def test_a_transport_without_a_socket_counts_what_waits_in_it():
    class Bare(asyncio.Transport):
        def get_write_buffer_size(self):
            return 7

    assert untaken_bytes(Bare()) == 7
