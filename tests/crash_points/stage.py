"""How the core is put together: the workers of a case, and what they share. Only this knows constructors."""

import asyncio
import contextvars
import weakref
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import uuid_utils.compat

from genpulse.adapters.database.assets.uploaded_files import PostgresUploadedFiles
from genpulse.adapters.database.console import PostgresConsole
from genpulse.adapters.database.ended_work import PostgresEndedWork
from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.money.budgets import PostgresBudgets
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.tasks.batches import PostgresBatches
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.memory.presence import MemoryPresence
from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.background.loops import Loops
from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.money.spending import Spending
from genpulse.domain.provider_account.gate import CircuitPolicy, Limits
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent
from genpulse.domain.webhook_delivery import Answer
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.removal.deletion import delete_task
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.ports import EnvironmentFacts, Services
from genpulse.ports.webhooks import NO_HEADERS
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.options import WorkerOptions
from genpulse.worker.process import run_until
from tests.crash_points.proxy import Proxy, Watcher
from tests.crash_points.vendor import NAME, Books, asked_as, provider_of

LEASE_S = 0.8
RATE = Rate(100, 1.0)
WEBHOOK = "https://receiver.example/hook"
_TELLS = WebhookChoice(events=frozenset({WebhookEvent.START, WebhookEvent.END}))
DEV = EnvironmentFacts(
    "dev", "development", "dev", "dev:", "local", "auto-spawn", "Development / Sandbox", "gp_dev_"
)
_OPTIONS = WorkerOptions(
    concurrency=10,
    batch=5,
    lease_s=LEASE_S,
    grace_s=0.1,
    stop_s=10.0,
    look_again_s=0.2,
    prune_every_s=3600.0,
    erase_after_s=0.1,
)
_OWNER: "contextvars.ContextVar[Process | None]" = contextvars.ContextVar("owner", default=None)


@dataclass
class Receiver:
    """Takes webhooks, after it has answered 500 to the first `refuses` of them."""

    refuses: int = 0
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    def refusal(self, url: str) -> str | None:
        return None

    async def send(
        self,
        url: str,
        message_id: str,
        body: bytes,
        *,
        now: datetime,
        secrets: SigningSecrets | None = SHARED,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        await asyncio.sleep(0.01)
        if self.refuses:
            self.refuses -= 1
            return Answer(500, "not now", 0.1)
        self.taken.append((message_id, body))
        return Answer(204)


class _Mortal:
    """Something outside the database that those who are dead cannot reach any more."""

    def __init__(self, inner: object, process: "Process") -> None:
        self._inner = inner
        self._process = process

    def __getattr__(self, name: str) -> Any:
        if self._process.is_dead:
            raise asyncio.CancelledError
        return getattr(self._inner, name)


@dataclass(frozen=True)
class World:
    """What all processes of one case share beside the database."""

    books: Books
    receiver: Receiver
    events: MemoryEventBus
    gate: MemoryGate
    storage: ObjectStorage
    limits: Mapping[str, Limits]
    spending: Spending
    retry: RetryPolicy
    options: WorkerOptions


def _fields(options: WorkerOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def world_of(
    books: Books,
    folder: Path,
    *,
    seats: int | None = None,
    daily_usd: Decimal | None = None,
    refused_webhooks: int = 0,
    prune_every_s: float = 3600.0,
    erase_every_s: float = 3600.0,
    retry_s: float = 0.05,
) -> World:
    """What the processes of one case share."""
    books.alive = _alive
    limits = {NAME: Limits(seats, RATE)}
    options = WorkerOptions(
        **{**_fields(_OPTIONS), "prune_every_s": prune_every_s, "erase_every_s": erase_every_s}
    )
    return World(
        books,
        Receiver(refused_webhooks),
        MemoryEventBus(),
        MemoryGate([NAME], limits, CircuitPolicy(failures=50)),
        ObjectStorage(folder.as_uri()),
        limits,
        Spending(paid=True, daily_usd=daily_usd),
        RetryPolicy(max_attempts=5, base_s=retry_s, longest_s=10.0),
        options,
    )


class Process:
    """A worker or an API "process" inside this one: its services, and every task that it has started.

    `failed_loops` are the background loops that had failed when it ended.
    """

    def __init__(self, name: str, url: str, world: World, watcher: Watcher | None = None) -> None:
        self.name = name
        self._url = url
        self._world = world
        self._watcher = watcher
        self.proxy: Proxy | None = None
        self.services: Services = None  # type: ignore[assignment]
        self.loops = Loops()
        self.is_dead = False
        self.stop = asyncio.Event()
        self.work: asyncio.Task[None] | None = None
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._closing = AsyncExitStack()
        self.failed_loops: Mapping[str, int] = {}

    async def open(self) -> None:
        """Services of its own, behind a proxy where somebody watches."""
        url = self._url
        if self._watcher is not None:
            parts = urlsplit(url)
            self.proxy = Proxy(str(parts.hostname), int(parts.port or 0), self._watcher)
            port = await self.proxy.start()
            host = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{port}"
            url = urlunsplit(parts._replace(netloc=host))
        self.services = await self._in_here(self._open(url))

    async def _open(self, url: str) -> Services:
        world, closing = self._world, self._closing
        pool = await open_pool(url, size=4, application_name=f"crash {self.name}", environment="dev")
        closing.push_async_callback(pool.close)
        concurrency = {name: one.concurrency for name, one in world.limits.items() if one.concurrency}
        queue = PostgresTaskQueue(pool, url, limits=concurrency, environment="dev", loops=self.loops)
        closing.push_async_callback(queue.close)
        store = PostgresTaskStore(pool, limits=concurrency)
        closing.push_async_callback(store.close)
        retention = PostgresRetention(pool, "dev")
        closing.push_async_callback(retention.close)
        return services_of(
            world,
            store=store,
            batches=PostgresBatches(pool),
            queue=queue,
            gate=_Mortal(world.gate, self),
            events=_Mortal(world.events, self),
            deliveries=PostgresDeliveries(pool, "dev"),
            ended_work=PostgresEndedWork(pool, "dev"),
            keys=PostgresKeys(pool),
            retention=retention,
            deletions=PostgresDeletions(pool, "dev"),
            budgets=PostgresBudgets(pool),
            uploaded_files=PostgresUploadedFiles(pool),
            console=PostgresConsole(pool),
            sender=_Mortal(world.receiver, self),
            storage=_Mortal(world.storage, self),
            loops=self.loops,
        )

    def start(self) -> None:
        """Be a worker."""
        self.work = self._create(run_until(self.stop, self.services, self._world.options))

    async def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Let this process do something, as an API does."""
        return await self._in_here(coroutine)

    async def _in_here(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return await self._create(coroutine)

    def _create(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        context = contextvars.copy_context()
        context.run(_OWNER.set, self)
        return asyncio.get_running_loop().create_task(coroutine, context=context)

    def kill(self) -> None:
        """As SIGKILL: nothing that it still wants to do reaches anybody."""
        if not self.is_dead:
            self.failed_loops = self.loops.failures
        self.is_dead = True
        if self.proxy is not None:
            self.proxy.cut()
        for task in list(self.tasks):
            task.cancel()

    async def bury(self) -> None:
        """Wait until nothing of it is left."""
        for _ in range(400):
            alive = [task for task in list(self.tasks) if not task.done()]
            if not alive:
                break
            for task in alive:
                task.cancel()
            await asyncio.sleep(0.005)
        for task in list(self.tasks):
            if task.done() and not task.cancelled():
                task.exception()
        if self.proxy is not None:
            await self.proxy.close()

    async def close(self, patience_s: float = 10.0) -> str | None:
        """Stop it in order; says what is wrong with its end, if anything is."""
        wrong = None
        if self.work is not None and not self.is_dead:
            self.stop.set()
            done, _ = await asyncio.wait({self.work}, timeout=patience_s)
            if not done:
                wrong = f"{self.name} does not stop: {'; '.join(self._waits())}"
            elif (error := self.work.exception()) is not None:
                wrong = f"{self.name} ended with {_words(error)}"
        if not self.is_dead:
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._in_here(self._closing.aclose())
        self.kill()
        await self.bury()
        return wrong

    def _waits(self) -> list[str]:
        """Where its tasks wait: functions from the outermost to the innermost, with the line of that."""
        return sorted(
            f"{' > '.join(frame.f_code.co_name for frame in frames)}:{frames[-1].f_lineno}"
            for task in self.tasks
            if not task.done() and (frames := list(_awaited(task)))
        )


def _awaited(task: "asyncio.Task[Any]") -> Iterator[FrameType]:
    """The frames of a task that waits; `Task.get_stack` knows the outermost one alone."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        if (frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)) is not None:
            yield frame
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)


def _words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def _alive() -> None:
    owner = _OWNER.get()
    if owner is not None and owner.is_dead:
        raise asyncio.CancelledError


def track_tasks() -> None:
    """Let each process know the tasks that it starts. Once an event loop."""

    def create(
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any],
        context: contextvars.Context | None = None,
    ) -> "asyncio.Task[Any]":
        owner = context.get(_OWNER) if context is not None else _OWNER.get()
        task = asyncio.Task(coroutine, loop=loop, context=context)
        if owner is not None:
            owner.tasks.add(task)
        return task

    asyncio.get_running_loop().set_task_factory(create)


def services_of(world: World, **doors: Any) -> Services:
    """The services of one process; what is not named here is the same for all."""
    return Services(
        environment=DEV,
        presence=MemoryPresence(),
        catalogue=LoadedCatalogue([provider_of(world.books)]),
        probes=(),
        retry=world.retry,
        spending=world.spending,
        retention_policy=RetentionPolicy(timedelta(days=90), timedelta(days=90), timedelta(days=1)),
        now=lambda: datetime.now(UTC),
        new_id=uuid_utils.compat.uuid7,
        random=Random(7).random,
        **doors,
    )


async def submit_one(
    services: Services,
    model: str,
    *,
    key: str | None = None,
    deadline_s: float | None = None,
    source: UUID | None = None,
) -> UUID:
    """A task of that model, or of several with commas between them, whose start and end are told.

    It waits for its source.
    """
    wanted = {"prompt": "a fox" if source is None else f"task:{source}"}
    order = Order(asked_as(model), wanted, webhook_url=WEBHOOK, webhook_choice=_TELLS, deadline_s=deadline_s)
    return (await submit(services, order, idempotency_key=key)).task.id


async def delete_one(services: Services, task_id: UUID) -> None:
    """As a caller does."""
    await delete_task(services, task_id, None)


async def cancel_one(services: Services, task_id: UUID) -> None:
    """As a caller does."""
    await cancel(services, task_id)


async def spent(services: Services) -> Decimal:
    """What today has cost, as far as the budget knows."""
    return await services.store.spent_usd()


async def rate_is_back(world: World) -> bool:
    """Whether the gate lets as many through as it ever does."""
    await asyncio.sleep(RATE.at_once * RATE.interval_s + 0.02)
    return (await world.gate.admit(NAME, RATE.at_once)).granted == RATE.at_once
