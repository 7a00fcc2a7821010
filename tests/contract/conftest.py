"""One store and queue after the other: PostgreSQL, and the twin in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.tasks.batches import PostgresBatches
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.batches import MemoryBatches
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.attempt import Claim, End, Lease, Outcome, Worker
from genpulse.domain.errors import UnknownTask
from genpulse.domain.task import NewTask, Task
from genpulse.ports import BatchStore, DeliveryStore, TaskQueue, TaskStore

LEASE_S = 0.5


def now() -> datetime:
    return datetime.now(UTC)


def new_task(**changes: Any) -> NewTask:
    values = {
        "id": uuid_utils.compat.uuid7(),
        "environment": "dev",
        "kind": "noop",
        "provider": "sandbox",
        "model": "sandbox/noop",
        "input": {"delay_s": 0, "nested": {"list": [1, 2.5, None, True, "ü"]}},
        **changes,
    }
    return NewTask(**values)


@dataclass
class Backend:
    """A store and its queue, with the few steps that most tests begin with."""

    store: TaskStore
    queue: TaskQueue
    deliveries: DeliveryStore = field(default_factory=MemoryDeliveries)

    worker: Worker = field(default_factory=lambda: brief_worker("w"))
    listens: bool = True

    @property
    def batches(self) -> BatchStore:
        """What the store knows of batches."""
        store = self.store
        return MemoryBatches(store) if isinstance(store, MemoryTaskStore) else PostgresBatches(store._pool)

    async def alive(self, worker: Worker | None = None) -> Worker:
        """A worker that has just renewed its lease."""
        worker = worker or self.worker
        await self.store.renew(worker, now())
        return worker

    async def claim(
        self, *providers: str, at_most: int = 1, worker: Worker | None = None, resumed: bool = True
    ) -> list[Claim]:
        """What begins of these providers."""
        found: list[Claim] = []
        for provider in providers or ("sandbox",):
            found += await self._claimed(worker or self.worker, provider, at_most - len(found), resumed=resumed)
        return found

    async def _claimed(self, worker: Worker, provider: str, at_most: int, *, resumed: bool) -> Sequence[Claim]:
        """Asked once more where the lease was over before the claim came: such a worker gets nothing."""
        while True:
            began_at = time.monotonic()
            await self.alive(worker)
            claims = await self.store.claim(worker, provider, new_ids(at_most), resumed=resumed)
            if claims or time.monotonic() - began_at < worker.lease_s:
                return claims

    async def taken_over(self, *providers: str, by: str = "other") -> list[Claim]:
        """What another worker takes over, which renews its own lease meanwhile; at most 5 seconds."""
        other = brief_worker(by)
        for _ in range(60):
            await self.store.renew(other, now())
            taken = await self.store.take_over(other, providers or ("sandbox",), new_ids(10))
            if taken:
                return list(taken)
            await asyncio.sleep(LEASE_S / 6)
        return []

    async def begun(self, **changes: Any) -> Claim:
        new = new_task(**changes)
        await self.store.submit(new)
        (begun,) = await self.claim(new.provider)
        return begun

    async def end(self, lease: Lease, outcome: Outcome, **known: Any) -> int:
        """As a worker does, which has the task."""
        with suppress(UnknownTask):
            known = {"is_priced": (await self.store.get(lease.task_id)).is_priced, **known}
        return await self.store.finish(End(lease, outcome, **known))

    async def ended(self, lease: Lease, outcome: Outcome, **known: Any) -> Task:
        """The task after the end of an attempt, which is told under its number."""
        number = await self.end(lease, outcome, **known)
        task = await self.store.get(lease.task_id)
        assert task.seq == number
        return task

    async def age(self, task: Task, by: timedelta) -> Task:
        """Let the task, which has ended, have ended earlier."""
        if isinstance(self.store, MemoryTaskStore):
            self.store._tasks[task.id] = replace(task, finished_at=task.finished_at - by)
            if task.id in (due_at := self.store._unstopped._due_at):
                due_at[task.id] -= by
        else:
            await self.store._pool.execute(
                "UPDATE tasks SET finished_at = finished_at - $2::interval,"
                " order_stop_at = order_stop_at - $2::interval WHERE id = $1",
                task.id,
                by,
            )
        return await self.store.get(task.id)


def new_worker(name: str) -> Worker:
    """One whose lease ends by no pause of the machine."""
    return Worker(uuid_utils.compat.uuid7(), name, 3600.0)


def brief_worker(name: str) -> Worker:
    """One from whom others take over soon."""
    return replace(new_worker(name), lease_s=LEASE_S)


def new_ids(count: int) -> list[UUID]:
    return [uuid_utils.compat.uuid7() for _ in range(count)]


@pytest.fixture(params=["postgresql", "memory"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    limits = {"limited": 2}
    if request.param == "memory":
        queue = MemoryTaskQueue(limits=limits)
        deliveries = MemoryDeliveries()
        yield Backend(MemoryTaskStore(queue, deliveries), queue, deliveries)
        return
    url, pools = (request.getfixturevalue(name) for name in ("migrated_url", "pools"))
    async with pools.lent(5) as pool:
        store = PostgresTaskStore(pool, limits=limits)
        pg_queue = PostgresTaskQueue(pool, url if pools.listens else None, limits=limits)
        yield Backend(store, pg_queue, PostgresDeliveries(pool), listens=pools.listens)
        await pg_queue.close()
        await store.close()
