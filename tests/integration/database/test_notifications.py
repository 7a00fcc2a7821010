"""Whoever listens is told, also when the line is dead and nobody says so."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from genpulse.adapters.database.queue.notifications import NotificationListener
from genpulse.adapters.database.statements.columns import CHANNEL, channel_of
from genpulse.background.loops import Loops
from genpulse.domain.attempt import Worker
from genpulse.ports import TaskNotification
from tests.contract.conftest import new_task, new_worker

QUIET_S = 0.2


class Line:
    """Between a listener and PostgreSQL; once it is dead it takes everything and passes nothing on."""

    def __init__(self, host, port):
        self._to = host, port
        self.opened = 0
        self.dead: set[int] = set()
        self._carrying: list[asyncio.Task] = []

    async def serve(self, reader, writer):
        self.opened += 1
        there, back = await asyncio.open_connection(*self._to)
        for source, target in ((reader, back), (there, writer)):
            self._carrying.append(asyncio.create_task(self._carry(self.opened, source, target)))

    async def close(self):
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, number, source, target):
        try:
            while data := await source.read(65536):
                if number not in self.dead:
                    target.write(data)
                    await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()

    def kill(self):
        """All that is open now passes nothing on any more, and stays open."""
        self.dead = set(range(1, self.opened + 1))


@asynccontextmanager
async def line_to(url):
    parts = urlsplit(url)
    line = Line(parts.hostname, parts.port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netloc = f"{parts.username}:{parts.password}@127.0.0.1:{port}"
    try:
        yield line, urlunsplit(parts._replace(netloc=netloc))
    finally:
        server.close()
        await line.close()


@pytest.fixture
async def speaker(migrated_url):
    connection = await asyncpg.connect(migrated_url)
    yield lambda channel, text: connection.execute("SELECT pg_notify($1, $2)", channel, text)
    await connection.close()


async def heard(listener: NotificationListener, speak) -> None:
    """A word about work comes through, at last."""
    mark = listener.mark
    async with asyncio.timeout(60):
        while listener.mark == mark:
            await speak(CHANNEL, "sandbox")
            await listener.news(mark, ["sandbox"], 0.05)


async def test_a_line_that_is_dead_is_noticed_and_opened_anew(migrated_url, speaker):
    async with line_to(migrated_url) as (line, url):
        listener = NotificationListener(url, None, Loops(), quiet_s=QUIET_S)
        listener.listen()
        await heard(listener, speaker)
        line.kill()
        async with asyncio.timeout(60):
            while line.opened < 2:  # a word from before may still be on its way
                await asyncio.sleep(0.02)
        await heard(listener, speaker)
        await listener.close()


async def test_a_worker_hears_its_own_channel_again_after_the_line_was_lost(migrated_url, speaker):
    worker: Worker = new_worker("w")
    task_id = new_task().id
    async with line_to(migrated_url) as (line, url):
        listener = NotificationListener(url, None, Loops(), quiet_s=QUIET_S)
        told = listener.of(worker)
        first = asyncio.ensure_future(anext(told))
        await heard(listener, speaker)
        line.kill()
        async with asyncio.timeout(60):
            while not first.done():
                await speaker(channel_of(worker.id), f"unwanted {task_id}")
                await asyncio.sleep(0.05)
        assert first.result() == TaskNotification(task_id, unwanted=True)
        await told.aclose()
        await listener.close()


@pytest.mark.parametrize("odd", ["", "unwanted", "unwanted nobody", "\u2028 \x01", "x" * 7000])
async def test_an_odd_word_is_nothing_and_ends_nothing(migrated_url, speaker, odd):
    worker, loops = new_worker("w"), Loops()
    listener = NotificationListener(migrated_url, None, loops)
    told = listener.of(worker)
    first = asyncio.ensure_future(anext(told))
    await heard(listener, speaker)
    task_id = new_task().id
    async with asyncio.timeout(60):
        while not first.done():
            await speaker(channel_of(worker.id), odd)
            await speaker(channel_of(worker.id), f"news {task_id}")
            await asyncio.sleep(0.02)
    assert first.result() == TaskNotification(task_id, unwanted=False)
    assert loops.failures == {}
    await told.aclose()
    await listener.close()
