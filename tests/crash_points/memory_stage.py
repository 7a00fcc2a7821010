"""The same on in-memory twins, for one run that is driven by hand: the only other place that builds services."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from genpulse.adapters.memory.assets.uploaded_files import MemoryUploadedFiles
from genpulse.adapters.memory.console import MemoryConsole
from genpulse.adapters.memory.ended_work import MemoryEndedWork
from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.money.budgets import MemoryBudgets
from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.removal.deletion import MemoryDeletions
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.batches import MemoryBatches
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.attempt import Worker
from genpulse.domain.money.spending import Spending
from genpulse.domain.provider_account.gate import CircuitPolicy, Limits
from genpulse.domain.retry import RetryPolicy
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.cancel import cancel
from genpulse.ports import Services
from genpulse.worker.options import WorkerOptions
from genpulse.worker.process import run_until
from tests.crash_points.stage import RATE, Receiver, World, services_of, submit_one
from tests.crash_points.vendor import NAME, Books

LEASE_S = 0.3


class _Distant:
    """A twin that is as far away as a server: everything waits on the way there, and on the way back."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def travel(*arguments: object, **named: object) -> object:
            await asyncio.sleep(0)
            answer = await attribute(*arguments, **named)
            await asyncio.sleep(0)
            return answer

        return travel


@dataclass(frozen=True)
class MemoryStage:
    """Services without servers."""

    services: Services
    world: World

    async def begin(self, model: str) -> tuple[UUID, AttemptRun]:
        """A task whose first attempt has begun, and the run of it, which nobody has awaited yet."""
        services = self.services
        task_id = await submit_one(services, model)
        worker = Worker(services.new_id(), "A", LEASE_S)
        await services.store.renew(worker, services.now())
        (begun,) = await services.store.claim(worker, NAME, [services.new_id()])
        distant = replace(
            services,
            store=_Distant(services.store),
            queue=_Distant(services.queue),
            gate=_Distant(services.gate),
        )
        return task_id, AttemptRun(distant, begun)

    def cancel_now(self, task_id: UUID) -> None:
        """As a caller does, in the middle of a step: the twins never wait."""
        _at_once(cancel(self.services, task_id))

    @asynccontextmanager
    async def successor(self) -> AsyncIterator[None]:
        """A healthy worker beside the body."""
        stop = asyncio.Event()
        work = asyncio.ensure_future(run_until(stop, self.services, self.world.options))
        try:
            yield
        finally:
            stop.set()
            await work


def memory_stage(books: Books, folder: Path) -> MemoryStage:
    """One process with everything in it."""
    queue, deliveries = MemoryTaskQueue(), MemoryDeliveries()
    store = MemoryTaskStore(queue, deliveries)
    limits = {NAME: Limits(None, RATE)}
    options = WorkerOptions(concurrency=10, batch=5, lease_s=LEASE_S, grace_s=0.1, stop_s=10.0, look_again_s=0.05)
    world = World(
        books,
        Receiver(),
        MemoryEventBus(),
        MemoryGate([NAME], limits, CircuitPolicy(failures=50)),
        ObjectStorage("memory:///", spool_dir=folder),
        limits,
        Spending(),
        replace(RetryPolicy(), base_s=0.01, longest_s=0.05),
        options,
    )
    services = services_of(
        world,
        store=store,
        batches=MemoryBatches(store),
        queue=queue,
        gate=world.gate,
        events=world.events,
        deliveries=deliveries,
        ended_work=MemoryEndedWork(store, deliveries),
        keys=MemoryKeys(store),
        retention=(retention := MemoryRetention(store, deliveries)),
        deletions=MemoryDeletions(store, deliveries, retention),
        budgets=MemoryBudgets(store),
        sender=world.receiver,
        storage=world.storage,
        uploaded_files=MemoryUploadedFiles(store),
        console=MemoryConsole(),
    )
    return MemoryStage(services, world)


def _at_once(coroutine: Coroutine[Any, Any, object]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("an in-memory twin has waited")
