"""The lifecycle on in-memory twins, with engines written for the purpose."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import asyncpg
import pytest
import uuid_utils.compat

from genpulse.adapters.database.assets.uploaded_files import PostgresUploadedFiles
from genpulse.adapters.database.ended_work import PostgresEndedWork
from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.money.budgets import PostgresBudgets
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.tasks.batches import PostgresBatches
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
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
from genpulse.domain.attempt import Claim, Worker
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.money.spending import Spending
from genpulse.domain.provider_account.gate import CircuitPolicy
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.watch import wait
from genpulse.ports import (
    BatchStore,
    BudgetStore,
    DeletionStore,
    DeliveryStore,
    EndedWork,
    EnvironmentFacts,
    KeyStore,
    Retention,
    Services,
    TaskQueue,
    TaskStore,
    UploadedFileStore,
)
from genpulse.provider import (
    Call,
    Callback,
    Immediate,
    Input,
    Job,
    Local,
    Model,
    Output,
    PollInterval,
    Progress,
    Provider,
    Report,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.options import WorkerOptions
from genpulse.worker.process import run_until
from tests.failing_group import failing_group

DEV = EnvironmentFacts(
    "dev", "development", "dev", "dev:", "local", "auto-spawn", "Development / Sandbox", "gp_dev_"
)
QUICK = WorkerOptions(concurrency=50, batch=10, lease_s=0.6, grace_s=0.2, look_again_s=0.3)


MEDIUM = b"\x00"
"""With this before them, words are no text: where media are ordered, text is no success."""


class Words(Input):
    prompt: str = "x"


@asynccontextmanager
async def clumsily(error: Exception | None) -> AsyncIterator[None]:
    """Raise this in place of being cut off."""
    try:
        yield
    except asyncio.CancelledError:
        if error is not None:
            raise error from None
        raise


async def two_at_once() -> None:
    """One of the two fails, and that is all the same."""
    with suppress(ExceptionGroup):
        await failing_group()


@dataclass
class Painter(Local[Words]):
    """Paints for so long, or holds its brush until it is let go; raises `clumsy` where it is cut off meanwhile.

    `mistaken`: it returns something else than a result. `careless`: it tries two things at once before it holds
    its brush, of which one fails; `impatient`: it holds its brush for a moment, and calls its own time-out
    an error.
    """

    mistaken: object = None
    careless: bool = False
    impatient: bool = False
    hold: asyncio.Event | None = None
    clumsy: Exception | None = None
    errors: list[Exception] = field(default_factory=list)
    runs: int = 0
    lasts_s: float = 0.0

    async def run(self, call: Call[Words], report: Report) -> Result:
        self.runs += 1
        report(0.25, "sketching")
        await asyncio.sleep(self.lasts_s)
        if self.impatient:
            async with asyncio.timeout(None) as patience:
                await self._hold(patience)
        if self.hold:
            await self._hold()
        if self.errors:
            raise self.errors.pop(0)
        if self.mistaken is not None:
            return cast("Result", self.mistaken)
        report(1.0)
        return Result((Output(call.input.prompt.encode()),))

    async def _hold(self, patience: asyncio.Timeout | None = None) -> None:
        if self.careless:
            await two_at_once()
        if patience:
            patience.reschedule(asyncio.get_running_loop().time() + 0.05)
        async with clumsily(self.clumsy):
            await (self.hold or asyncio.Event()).wait()


@dataclass
class Shop(Immediate[Words]):
    """Sells one answer for one request, counts what it sold, and notes by a clock of seconds when it was asked.

    `careless`: it tries two things at once, of which one fails. `mistaken`: it returns this in place of a result.
    """

    mistaken: object = None
    sold: int = 0
    careless: bool = False
    asked_at: list[float] = field(default_factory=list)
    hold: asyncio.Event | None = None
    errors: list[Exception] = field(default_factory=list)

    async def generate(self, call: Call[Words]) -> Result:
        self.sold += 1
        self.asked_at.append(time.monotonic())
        if self.careless:
            await two_at_once()
        if self.hold:
            await self.hold.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.mistaken is not None:
            return cast("Result", self.mistaken)
        return Result((Output(MEDIUM + b"sold"),))


@dataclass
class Studio(TwoPhase[Words]):
    """Takes jobs, and finishes them when it is told to; raises `clumsy` where what hangs is cut off.

    `careless`: it tries two things at once before it hangs, of which one fails. `streamed` counts its streams.
    """

    can_cancel = True
    can_find = True
    poll_interval = PollInterval(0.01, 1.0, 0.01)
    jobs: dict[str, str] = field(default_factory=dict)
    submits: int = 0
    canceled: list[str] = field(default_factory=list)
    finished: bool = True
    submit_errors: list[Exception] = field(default_factory=list)
    poll_errors: list[Exception] = field(default_factory=list)
    failures: list[Progress] = field(default_factory=list)
    hold_submit: asyncio.Event | None = None
    forgets: bool = False
    callbacks: list[str | None] = field(default_factory=list)
    signature: str | None = None
    hanging_polls: int = 0
    clumsy: Exception | None = None
    broken_streams: int = 0
    hanging_streams: int = 0
    hanging_cancels: int = 0
    careless: bool = False
    streamed: int = 0

    async def submit(self, call: Call[Words]) -> Submission:
        self.submits += 1
        self.callbacks.append(call.callback_url)
        job_id = f"job-{self.submits}"
        self.jobs[call.client_reference] = job_id
        if self.hold_submit:
            await self.hold_submit.wait()
        if self.submit_errors:
            raise self.submit_errors.pop(0)
        return Submission(job_id)

    async def poll(self, job: Job[Words]) -> Progress:
        if self.poll_errors:
            raise self.poll_errors.pop(0)
        if self.hanging_polls:
            self.hanging_polls -= 1
            await self._hang()
        if self.failures:
            return self.failures.pop(0)
        return Progress(1.0, done=True) if self.finished else Progress(0.5)

    async def collect(self, job: Job[Words]) -> Result:
        outputs = [Output(self._stream(MEDIUM + f"made by {job.id}".encode()))]
        another = [Output(self._stream(MEDIUM + b"and another one"))]
        return Result((*outputs, *another) if self.hanging_streams else tuple(outputs))

    async def _stream(self, content: bytes) -> AsyncIterator[bytes]:
        self.streamed += 1
        yield content[:4]
        if self.broken_streams:
            self.broken_streams -= 1
            raise ConnectionResetError("the line broke")
        if self.hanging_streams:
            self.hanging_streams -= 1
            await self._hang()
        yield content[4:]

    async def cancel(self, job: Job[Words]) -> None:
        self.canceled.append(job.id)
        if self.hanging_cancels:
            self.hanging_cancels -= 1
            await self._hang()

    async def _hang(self) -> None:
        if self.careless:
            await two_at_once()
        async with clumsily(self.clumsy):
            await asyncio.Event().wait()

    async def is_authentic(self, callback: Callback) -> bool:
        return self.signature is None or callback.headers.get("signature") == self.signature

    async def find(self, call: Call[Words]) -> Submission | None:
        job_id = None if self.forgets else self.jobs.get(call.client_reference)
        return Submission(job_id) if job_id else None


@dataclass
class Rows:
    """All that is kept in rows."""

    store: TaskStore
    batches: BatchStore
    queue: TaskQueue
    deliveries: DeliveryStore
    ended_work: EndedWork
    keys: KeyStore
    retention: Retention
    deletions: DeletionStore
    budgets: BudgetStore
    uploaded_files: UploadedFileStore
    next_day: Callable[[], Awaitable[None]]


# The clock of a database cannot be set: its rows go back a day instead.
_A_DAY_AGO = """
WITH moved AS (
UPDATE tasks SET created_at = created_at - interval '1 day', deadline_at = deadline_at - interval '1 day',
                 spent_day = spent_day - 1),
gone AS (DELETE FROM spending WHERE day > '-infinity' RETURNING *)
INSERT INTO spending SELECT day - 1, owner, usd, tasks, active FROM gone
"""


@dataclass
class World:
    """Services, and the engines behind them."""

    services: Services
    painter: Painter
    shop: Shop
    studio: Studio
    gate: MemoryGate
    next_day: Callable[[], Awaitable[None]]

    @asynccontextmanager
    async def worker(self, options: WorkerOptions = QUICK) -> AsyncIterator[asyncio.Event]:
        """A worker beside the body; set the event to stop it before the body ends."""
        stop = asyncio.Event()
        task = asyncio.create_task(run_until(stop, self.services, options))
        try:
            yield stop
        finally:
            stop.set()
            await task

    async def begun(self, provider: str = "art", name: str = "lost") -> Claim:
        """The next task of a worker that does nothing with it, and is not heard of again."""
        worker = Worker(self.services.new_id(), name, QUICK.lease_s)
        async with asyncio.timeout(60):
            while True:  # a lease may have run out before the claim
                await self.services.store.renew(worker, self.services.now())
                if begun := await self.services.store.claim(worker, provider, [self.services.new_id()]):
                    return begun[0]

    @asynccontextmanager
    async def run(self, claim: Claim) -> AsyncIterator[AttemptRun]:
        """The run of an attempt, whose engine is not asked."""
        run = AttemptRun(self.services, claim)
        async with run.files:
            yield run

    async def submit(self, model: str, *, caller: Caller = WITHOUT_KEY, **changes):
        order = replace(Order(model, {"prompt": "a fox"}), **changes)
        return (await submit(self.services, order, caller=caller)).task

    async def ended(self, task, timeout_s: float = 60.0):
        ended = await wait(self.services, task.id, timeout_s)
        assert ended.status.ended, f"{ended.status} after {timeout_s} s"
        return ended

    async def content(self, asset) -> bytes:
        chunks = self.services.storage.read(asset.content.key, 0, asset.content.size)
        return b"".join([chunk async for chunk in chunks]).removeprefix(MEDIUM)


@asynccontextmanager
async def memory_rows(limits: Mapping[str, int] | None = None) -> AsyncIterator[Rows]:
    """What is kept in this process, and is atomic by its nature."""
    queue, deliveries = MemoryTaskQueue(limits=limits), MemoryDeliveries()
    ahead = [timedelta(0)]
    store = MemoryTaskStore(queue, deliveries, now=lambda: datetime.now(UTC) + ahead[0])

    async def next_day() -> None:
        ahead[0] += timedelta(days=1)

    retention = MemoryRetention(store, deliveries)
    deletions = MemoryDeletions(store, deliveries, retention)
    ended_work = MemoryEndedWork(store, deliveries)
    budgets = MemoryBudgets(store, now=lambda: datetime.now(UTC) + ahead[0])
    kept = (deliveries, ended_work, MemoryKeys(store), retention, deletions, budgets, MemoryUploadedFiles(store))
    yield Rows(store, MemoryBatches(store), queue, *kept, next_day)


@asynccontextmanager
async def postgresql_rows(
    url: str, pool: asyncpg.Pool, limits: Mapping[str, int] | None = None
) -> AsyncIterator[Rows]:
    """The same in PostgreSQL."""
    store, queue = (
        PostgresTaskStore(pool, limits=limits),
        PostgresTaskQueue(pool, url, limits=limits, environment="dev"),
    )

    async def next_day() -> None:
        await pool.execute(_A_DAY_AGO)

    retention = PostgresRetention(pool)
    yield Rows(
        store,
        PostgresBatches(pool),
        queue,
        PostgresDeliveries(pool, "dev"),
        PostgresEndedWork(pool, "dev"),
        PostgresKeys(pool),
        retention,
        PostgresDeletions(pool, "dev"),
        PostgresBudgets(pool),
        PostgresUploadedFiles(pool),
        next_day,
    )
    await retention.close()
    await queue.close()
    await store.close()


@pytest.fixture(params=["memory", "postgresql"])
async def rows(request: pytest.FixtureRequest) -> AsyncIterator[Rows]:
    """One after the other."""
    if request.param == "memory":
        async with memory_rows() as kept:
            yield kept
        return
    url, pools = (request.getfixturevalue(name) for name in ("migrated_url", "pools"))
    async with pools.lent(3, "dev") as pool, postgresql_rows(url, pool) as kept:
        yield kept


@pytest.fixture
async def world(rows, tmp_path) -> AsyncIterator[World]:
    async with opened_world(rows, tmp_path) as made:
        yield made


@asynccontextmanager
async def opened_world(rows: Rows, folder: Path) -> AsyncIterator[World]:
    """Services with these rows, whose streams wait in the folder."""
    painter, shop, studio = Painter(), Shop(), Studio()
    provider = Provider(
        "art",
        (
            Model("painter", ("text-to-image",), Words, painter),
            Model("shop", ("text-to-image", "text-to-video"), Words, shop),
            Model("studio", ("text-to-video",), Words, studio),
        ),
        paid=True,
    )
    gate = MemoryGate(["art"], policy=CircuitPolicy(failures=4, first_s=0.05, longest_s=0.2))
    storage = ObjectStorage("memory:///", spool_dir=folder)
    services = Services(
        environment=DEV,
        store=rows.store,
        batches=rows.batches,
        queue=rows.queue,
        gate=gate,
        events=MemoryEventBus(),
        deliveries=rows.deliveries,
        ended_work=rows.ended_work,
        keys=rows.keys,
        retention=rows.retention,
        deletions=rows.deletions,
        budgets=rows.budgets,
        uploaded_files=rows.uploaded_files,
        console=MemoryConsole(),
        sender=MemoryMessageSender(),
        presence=MemoryPresence(),
        storage=storage,
        catalogue=LoadedCatalogue([provider]),
        probes=(),
        retry=RetryPolicy(max_attempts=3, base_s=0.01, longest_s=0.05),
        spending=Spending(paid=True),
        retention_policy=RetentionPolicy(),
        now=lambda: datetime.now(UTC),
        new_id=uuid_utils.compat.uuid7,
        random=random.Random(7).random,
    )
    made = World(services, painter, shop, studio, gate, rows.next_day)
    yield made
    assert made.services.loops.failures == {}
    await storage.close()


@pytest.fixture
def until():
    """Wait until something holds, at most a minute."""

    async def wait_until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.005)

    return wait_until


_MANY_ANSWERS = {"test_odd_answers.py", "test_judgement.py"}
_ONE_IN = 4


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All answers meet the memory; one in four of each test meets PostgreSQL, and the others are slow."""
    seen: Counter[str] = Counter()
    for item in items:
        if item.path.name in _MANY_ANSWERS and item.path.parent == Path(__file__).parent:
            test = getattr(item, "originalname", item.name)
            if "[postgresql" in item.name:
                if seen[test] % _ONE_IN:
                    item.add_marker(pytest.mark.slow)
                seen[test] += 1
