"""PostgreSQL has done it, and nobody hears so: the connection breaks with the answer on it."""

import asyncio

import pytest

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.statements import ends, submission
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import End, Failed, Succeeded
from genpulse.domain.errors import DatabaseUnavailable, LeaseLost, ProviderRejected
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import Backend, new_task


class Wire:
    """A pool that does the statement and loses its answer, as often as `losses` says."""

    def __init__(self, pool, statement: str) -> None:
        self._pool = pool
        self._statement = statement
        self.losses = 0

    def __getattr__(self, name: str):
        return getattr(self._pool, name)

    async def fetch(self, statement, *arguments):
        rows = await self._pool.fetch(statement, *arguments)
        if statement == self._statement and self.losses:
            self.losses -= 1
            raise ConnectionResetError("the line broke")
        return rows


@pytest.fixture
async def pool(migrated_url):
    pool = await open_pool(migrated_url, size=5, application_name="tests")
    yield pool
    await pool.close()


@pytest.fixture
async def backend(pool, migrated_url):
    wire = Wire(pool, ends.FINISH_PRICED)
    backend = Backend(PostgresTaskStore(wire), PostgresTaskQueue(pool, migrated_url))
    backend.wire = wire
    yield backend
    await backend.queue.close()
    await backend.store.close()


async def test_an_end_is_told_again_and_not_taken_for_somebody_elses(backend):
    """All of a batch ask again, in whatever company: one that lost its lease meanwhile is told so."""
    ends = [End((await backend.begun()).lease, Succeeded(())) for _ in range(20)]
    backend.wire.losses = 1
    answers = await asyncio.gather(*map(backend.store.finish, ends), return_exceptions=True)
    unheard = [end for end, answer in zip(ends, answers, strict=True) if isinstance(answer, DatabaseUnavailable)]
    assert unheard
    (taken,) = await take_one_over(backend)
    again = await asyncio.gather(
        *map(backend.store.finish, [*unheard, End(taken, Succeeded(()))]), return_exceptions=True
    )
    for end, number in zip(unheard, again, strict=False):
        task = await backend.store.get(end.lease.task_id)
        assert (task.status, task.seq) == (TaskStatus.SUCCEEDED, number)
    assert isinstance(again[-1], LeaseLost)


async def take_one_over(backend):
    """The lease that a worker has lost to another one."""
    begun = await backend.begun()
    assert await backend.taken_over()
    return (begun.lease,)


async def test_an_end_that_comes_again_changes_nothing(backend):
    begun = await backend.begun()
    end = End(begun.lease, Failed(ProviderRejected("no").failure))
    backend.wire.losses = 1
    with pytest.raises(DatabaseUnavailable):
        await backend.store.finish(end)
    before = await backend.store.get(begun.task.id)
    assert await backend.store.finish(end) == before.seq
    assert await backend.store.get(begun.task.id) == before
    with pytest.raises(LeaseLost):
        await backend.store.finish(end)


async def test_a_submit_with_a_key_gives_the_task_that_nobody_heard_of(pool, migrated_url):
    wire = Wire(pool, submission.submit())
    store = PostgresTaskStore(wire)
    first, second = (new_task(idempotency_key="k") for _ in range(2))
    async with pool.acquire() as connection:
        wire.acquire = lambda: Held(connection, wire)
        wire.losses = 1
        with pytest.raises(DatabaseUnavailable):
            await store.submit(first)
        again = await store.submit(second)
    assert (again.replayed, again.task.id) == (True, first.id)
    await store.close()


class Held:
    """One connection, behind the same line."""

    def __init__(self, connection, wire: Wire) -> None:
        self._wire = Wire(connection, wire._statement)
        self._wire.losses, self._count = wire.losses, wire

    async def __aenter__(self):
        return self._wire

    async def __aexit__(self, *_error):
        self._count.losses = self._wire.losses
