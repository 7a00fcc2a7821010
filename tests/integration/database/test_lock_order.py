"""Statements that meet at the same two tasks, each held up in the middle, never wait for each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import permutations
from uuid import UUID

import asyncpg
import pytest
import uuid_utils.compat

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.domain.attempt import Claim, Released
from genpulse.domain.errors import LeaseLost, TaskDeleted, UnknownTask
from genpulse.domain.routing.task_route import RouteTarget, TaskRoute
from genpulse.domain.task import NewTask, Submitted
from genpulse.ports import RouteMove
from tests.contract.conftest import Backend, new_task
from tests.kept_pool import KeptPools

ROUTE = TaskRoute("", (RouteTarget("sandbox/image"), RouteTarget("other/image")), frozenset())
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_HOLD = "SELECT FROM tasks WHERE id = $1 FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Scene:
    """Two tasks that run; the keys of the first and the second are `b` and `a`."""

    pool: asyncpg.Pool
    backend: Backend
    tasks: tuple[NewTask, NewTask]
    begun: dict[UUID, Claim]

    @property
    def ids(self) -> tuple[UUID, UUID]:
        return self.tasks[0].id, self.tasks[1].id


@pytest.fixture
async def scene(migrated_url: str, pools: KeptPools) -> AsyncIterator[Scene]:
    async with pools.lent(8) as pool:
        queue = PostgresTaskQueue(pool, migrated_url)
        backend = Backend(PostgresTaskStore(pool), queue)
        first, second = new_task(idempotency_key="b"), new_task(idempotency_key="a")
        for task in (first, second):
            await backend.store.submit(task)
        begun = await backend.claim(at_most=2)
        yield Scene(pool, backend, (first, second), {one.task.id: one for one in begun})
        await queue.close()
        await backend.store.close()


async def submit_again(scene: Scene) -> None:
    again = [replace(task, id=uuid_utils.compat.uuid7()) for task in scene.tasks]
    submits = [scene.backend.store.submit(task) for task in again]
    for answer in await asyncio.gather(*submits, return_exceptions=True):
        assert isinstance(answer, TaskDeleted) or (isinstance(answer, Submitted) and answer.replayed), answer


async def save_progress(scene: Scene) -> None:
    saves = [scene.backend.store.save_progress(scene.begun[one].lease, 0.5, 1) for one in scene.ids]
    await asyncio.gather(*saves)


async def end(scene: Scene) -> None:
    ends = [scene.backend.end(scene.begun[one].lease, Released()) for one in reversed(scene.ids)]
    await asyncio.gather(*ends)


async def delete(scene: Scene) -> None:
    deleted = await PostgresDeletions(scene.pool).delete_tasks(scene.ids, owner=None, deleted_by="")
    assert set(deleted.deleted) == set(scene.ids)


async def journal_orders(scene: Scene) -> None:
    orders = [scene.backend.store.journal_order(scene.begun[one].lease) for one in reversed(scene.ids)]
    await settled(orders)


async def journal_jobs(scene: Scene) -> None:
    jobs = [scene.backend.store.journal_job(scene.begun[one].lease, "job") for one in reversed(scene.ids)]
    await settled(jobs)


async def settled(acts: Sequence[Awaitable[object]]) -> None:
    """Of tasks that have ended meanwhile the lease is lost."""
    answers = await asyncio.gather(*acts, return_exceptions=True)
    assert [one for one in answers if isinstance(one, Exception) and not isinstance(one, LeaseLost)] == []


ACTS: tuple[Callable[[Scene], Awaitable[None]], ...] = (
    *(submit_again, save_progress, end, delete),
    *(journal_orders, journal_jobs),
)


async def move_on(scene: Scene) -> None:
    with suppress(UnknownTask):
        tasks = [await scene.backend.store.get(one) for one in reversed(scene.ids)]
        await scene.backend.store.move_on([RouteMove(task, replace(ROUTE, place=1)) for task in tasks])


async def expire(scene: Scene) -> None:
    await scene.backend.store.expire()


ACTS_ON_WAITING = (submit_again, delete, move_on, expire)


async def waiting(scene: Scene, acts: list[asyncio.Task[None]], count: int) -> None:
    """Until so many wait for locks, or who does not wait has ended."""
    async with asyncio.timeout(60):
        while await scene.pool.fetchval(_WAITING) < count - sum(act.done() for act in acts):
            await asyncio.sleep(0.01)


@pytest.fixture
async def waiting_scene(scene) -> Scene:
    """The same with two tasks on a route that nobody has begun, and whose deadlines are over."""
    made = [new_task(idempotency_key=key, route=ROUTE, deadline_s=-1.0) for key in "dc"]
    for task in made:
        await scene.backend.store.submit(task)
    return replace(scene, tasks=(made[0], made[1]), begun={})


@pytest.mark.parametrize("held", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize(
    "pair", [*permutations(ACTS_ON_WAITING, 2)], ids=lambda pair: f"{pair[0].__name__}-{pair[1].__name__}"
)
async def test_two_statements_at_the_same_waiting_tasks_never_do(waiting_scene, pair, held):
    await test_two_statements_at_the_same_tasks_never_wait_for_each_other(waiting_scene, pair, held)


@pytest.mark.parametrize("held", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize(
    "pair", [*permutations(ACTS, 2)], ids=lambda pair: f"{pair[0].__name__}-{pair[1].__name__}"
)
async def test_two_statements_at_the_same_tasks_never_wait_for_each_other(scene, pair, held):
    acts: list[asyncio.Task[None]] = []
    async with scene.pool.acquire() as holding, holding.transaction():
        await holding.execute(_HOLD, scene.ids[held])
        for act in pair:
            acts.append(asyncio.ensure_future(act(scene)))
            await waiting(scene, acts, len(acts))
    answers = await asyncio.gather(*acts, return_exceptions=True)
    assert [answer for answer in answers if answer is not None] == []
