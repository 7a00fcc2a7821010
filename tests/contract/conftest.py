"""One store and queue after the other: PostgreSQL, and the twin in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import uuid_utils.compat

from genpulse.adapters.database.deliveries import PostgresDeliveries
from genpulse.adapters.database.store import PostgresTaskStore
from genpulse.adapters.memory.deliveries import MemoryDeliveries
from genpulse.adapters.memory.queue import MemoryTaskQueue
from genpulse.adapters.memory.store import MemoryTaskStore
from genpulse.adapters.postgresql import open_pool
from genpulse.adapters.queue.entries import QueueEntries
from genpulse.adapters.queue.task_queue import PgTaskQueue
from genpulse.domain.attempt import Begun, Claim, Lease, Outcome
from genpulse.domain.task import NewTask, Task
from genpulse.ports import DeliveryStore, TaskQueue, TaskStore

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
        "created_at": now(),
        **changes,
    }
    return NewTask(**values)


@dataclass
class Backend:
    """A store and its queue, with the few steps that most tests begin with."""

    store: TaskStore
    queue: TaskQueue
    deliveries: DeliveryStore = field(default_factory=MemoryDeliveries)

    async def claim(self, *providers: str) -> Claim:
        (claim,) = await self.queue.claim(providers or ("sandbox",), 1)
        return claim

    async def begin(self, claim: Claim, worker: str = "w") -> Begun | None:
        attempt_id = uuid_utils.compat.uuid7()
        return await self.store.begin(claim, attempt_id=attempt_id, worker=worker, now=now())

    async def ended(self, lease: Lease, outcome: Outcome, at: datetime | None = None) -> Task:
        """The task after the end of an attempt, which is told under its number."""
        number = await self.store.finish(lease, outcome, at or now())
        task = await self.store.get(lease.task_id)
        assert task.seq == number
        return task

    async def begun(self, **changes: Any) -> Begun:
        await self.store.submit(new_task(**changes))
        begun = await self.begin(await self.claim())
        assert begun is not None
        return begun


@pytest.fixture(params=["postgresql", "memory"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    limits = {"limited": 2}
    if request.param == "memory":
        queue = MemoryTaskQueue(lease_s=LEASE_S, limits=limits)
        deliveries = MemoryDeliveries()
        yield Backend(MemoryTaskStore(queue, deliveries), queue, deliveries)
        return
    url = request.getfixturevalue("migrated_url")
    pool = await open_pool(url, size=5, application_name="tests")
    store, pg_queue = (
        PostgresTaskStore(pool, QueueEntries()),
        PgTaskQueue(pool, url, lease_s=LEASE_S, limits=limits),
    )
    yield Backend(store, pg_queue, PostgresDeliveries(pool))
    await pg_queue.close()
    await store.close()
    await pool.close()
