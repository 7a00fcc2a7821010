"""A GenPulse in one process, around one plug-in."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import uuid_utils.compat

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.memory.assets.uploaded_files import MemoryUploadedFiles
from genpulse.adapters.memory.console import MemoryConsole
from genpulse.adapters.memory.ended_work import MemoryEndedWork
from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.money.budgets import MemoryBudgets
from genpulse.adapters.memory.presence import MemoryPresence
from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.removal.deletion import MemoryDeletions
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.batches import MemoryBatches
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.money.spending import Spending
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.task import Task
from genpulse.environment.table import ENVIRONMENTS
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.watch import wait
from genpulse.ports import EnvironmentFacts, Services
from genpulse.provider import PollInterval, Provider, ProviderSettings, TwoPhase
from genpulse.provider.http import Reply, Request
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.mistakes import Mistakes, noted
from genpulse.testing.subject import Subject
from genpulse.worker.options import WorkerOptions
from genpulse.worker.process import run_until

ENDS_WITHIN_S = 20.0
LIMIT_BYTES = 1 << 20
"""No answer and no output may be larger in a rig, so that one that is too large is soon made."""
PATIENT = Bounds(missing_s=5.0, refused_s=10.0, unusable_s=10.0, question_wait_s=0.2, order_wait_s=2.0, stop_s=2.0)
"""What is borne with in a rig where odd answers pass, however busy the machine is."""
IMPATIENT = Bounds(missing_s=0.3, refused_s=0.4, unusable_s=0.5, question_wait_s=0.1, order_wait_s=0.2, stop_s=2.0)
"""What is borne with in a rig where they do not pass."""
_ROW = ENVIRONMENTS[0]
_ENVIRONMENT = EnvironmentFacts(
    name=_ROW.name,
    dynaconf=_ROW.dynaconf,
    branch=_ROW.branch,
    key_prefix=_ROW.key_prefix,
    db_mode=_ROW.db_mode,
    services=_ROW.services,
    target=_ROW.target,
    api_key_prefix=_ROW.api_key_prefix,
)
_QUICK = WorkerOptions(concurrency=20, batch=10, lease_s=5.0, grace_s=0.1)


@dataclass(frozen=True, slots=True)
class Terms:
    """Time limits: `bounds` for odd answers, `longest_s` for a job (None: the engine's own)."""

    bounds: Bounds = PATIENT
    longest_s: float | None = None
    lease_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Rig:
    """The services that checks use. The store, the queue and the storage outlive every worker.

    `beside` are other plug-ins of the same installation. `mistakes` are what was logged as nobody's answer.
    """

    subject: Subject
    services: Services
    beside: tuple[Subject, ...] = ()
    terms: Terms = field(default_factory=Terms)
    mistakes: Mistakes = field(default_factory=Mistakes)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """A worker with a newly built plug-in, as a fresh process has it; it stops in an orderly way."""
        async with AsyncExitStack() as stack:
            services = await self.with_plug_ins(stack)
            stop = asyncio.Event()
            options = replace(_QUICK, lease_s=self.terms.lease_s)
            working = asyncio.create_task(run_until(stop, services, options))
            try:
                yield
            finally:
                stop.set()
                await working

    async def submit(self, subject: Subject | None = None) -> Task:
        """Submit one task for the model under test, or for that of another subject."""
        subject_ = subject or self.subject
        order = Order(subject_.model, subject_.input, subject_.kind)
        async with AsyncExitStack() as stack:
            services = await self.with_plug_ins(stack)
            return (await submit(services, order)).task

    async def with_plug_ins(self, stack: AsyncExitStack) -> Services:
        """The services with newly built plug-ins."""
        http = SmallHttpClient("conformance", missing_s=self.terms.bounds.missing_s)
        stack.push_async_callback(http.close)
        subjects = (self.subject, *self.beside)
        catalogue = LoadedCatalogue([_provider(one, http, self.terms) for one in subjects])
        stack.push_async_callback(catalogue.close)
        return replace(self.services, catalogue=catalogue, http=http)

    async def ended(self, task: Task) -> Task:
        """The task at its end, which comes within 20 seconds. Raises `AssertionError`."""
        ended = await wait(self.services, task.id, ENDS_WITHIN_S)
        if not ended.status.ended:
            raise AssertionError(f"the task is still {ended.status} after {ENDS_WITHIN_S:g} s")
        return ended

    async def content(self, task: Task) -> tuple[bytes, ...]:
        """The stored outputs."""
        contents = []
        for asset in task.outputs:
            content = asset.content
            chunks = self.services.storage.read(content.key, 0, content.size, sha256=content.sha256)
            contents.append(b"".join([chunk async for chunk in chunks]))
        return tuple(contents)


class SmallHttpClient(HttpClient):
    """Takes no answer that is larger than a rig allows."""

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status."""
        return await super().send(replace(request, limit_bytes=min(request.limit_bytes, LIMIT_BYTES)))


@asynccontextmanager
async def rig(subject: Subject, *beside: Subject, terms: Terms | None = None) -> AsyncIterator[Rig]:
    """Open services in memory; only the HTTP between the plug-in and the fake is real."""
    async with memory_services() as services:
        terms = terms or Terms()
        services = replace(services, bounds=terms.bounds, output_limit_bytes=LIMIT_BYTES)
        with noted() as mistakes:
            yield Rig(subject, services, beside, terms, mistakes)


@asynccontextmanager
async def memory_services(catalogue: LoadedCatalogue | None = None) -> AsyncIterator[Services]:
    """Services without a server: what they keep is gone after the body."""
    queue, deliveries = MemoryTaskQueue(), MemoryDeliveries()
    store = MemoryTaskStore(queue, deliveries)
    with tempfile.TemporaryDirectory(prefix="genpulse-conformance-") as folder:
        storage = ObjectStorage("memory:///", spool_dir=Path(folder))
        yield Services(
            environment=_ENVIRONMENT,
            store=store,
            batches=MemoryBatches(store),
            queue=queue,
            gate=MemoryGate(),
            events=MemoryEventBus(),
            deliveries=deliveries,
            ended_work=MemoryEndedWork(store, deliveries),
            keys=MemoryKeys(store),
            retention=(retention := MemoryRetention(store, deliveries)),
            deletions=MemoryDeletions(store, deliveries, retention),
            budgets=MemoryBudgets(store),
            uploaded_files=MemoryUploadedFiles(store),
            console=MemoryConsole(),
            sender=MemoryMessageSender(),
            presence=MemoryPresence(),
            storage=storage,
            catalogue=catalogue or LoadedCatalogue([]),
            probes=(),
            retry=RetryPolicy(max_attempts=3, base_s=0.01, longest_s=0.05),
            spending=Spending(paid=True),
            retention_policy=RetentionPolicy(),
            now=lambda: datetime.now(UTC),
            new_id=uuid_utils.compat.uuid7,
            random=random.Random(7).random,  # noqa: S311 - spreads retries
            callback_base_url="https://hooks.example",
        )
        await storage.close()


def _provider(subject: Subject, http: HttpClient, terms: Terms) -> Provider:
    provider = subject.build(ProviderSettings(subject.key, subject.fake.base_url, subject.options, http))
    model = LoadedCatalogue([provider]).model(subject.model)
    if isinstance(model.engine, TwoPhase):
        model.engine.poll_interval = PollInterval(0.01, 1.0, 0.05)  # type: ignore[misc]
        if terms.longest_s is not None:
            model.engine.longest_s = terms.longest_s  # type: ignore[misc]
    # Nothing that one free of charge says of money would be kept, and so none of it could be looked at.
    return replace(provider, models=(model,), find_model=None, paid=True)
