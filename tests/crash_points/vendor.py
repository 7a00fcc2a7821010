"""A vendor inside this process: engines of every shape, and the vendor's own books."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from genpulse.provider import (
    Call,
    Cost,
    Immediate,
    Input,
    Job,
    Local,
    Model,
    Output,
    PollInterval,
    Progress,
    Provider,
    ProviderUnavailable,
    Report,
    Result,
    Submission,
    TwoPhase,
)

NAME = "vend"
PRICE_USD = Decimal("0.01")


@dataclass(frozen=True)
class Manner:
    """How the vendor behaves in a scenario. Times are in seconds.

    `travels_s` is what a request takes, and what its answer takes; `lasts_s` what a job takes; `refuses` so many
    orders of each task first; `fails` so many jobs of each task first, without charging them.
    """

    travels_s: float = 0.02
    lasts_s: float = 0.1
    collect_s: float = 0.02
    refuses: int = 0
    fails: int = 0


@dataclass(eq=False)
class Order:
    """An order that the vendor has taken. `at` and the others are moments of this machine's clock."""

    id: str
    task_id: UUID
    reference: str
    at: float
    done_at: float
    answered_at: float | None = None
    failed: bool = False
    canceled_at: float | None = None
    collected: int = 0


async def _nobody() -> None:
    """Nothing happens to those who ask."""


@dataclass
class Books:
    """What the vendor knows. `alive` is awaited on every way: it does not return for those who are dead."""

    manner: Manner = field(default_factory=Manner)
    alive: Callable[[], Awaitable[None]] = _nobody
    orders: list[Order] = field(default_factory=list)
    refusals: Counter[UUID] = field(default_factory=Counter)
    local_runs: Counter[UUID] = field(default_factory=Counter)
    seen: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    async def travel(self, seconds: float) -> None:
        """In steps, so that there is more than one await on the way."""
        for _ in range(2):
            await self.alive()
            await asyncio.sleep(seconds / 2)
        await self.alive()

    async def order(self, call: Call["Words"]) -> Order:
        """Take an order, or refuse it."""
        await self.travel(self.manner.travels_s)
        if self.refusals[call.task_id] < self.manner.refuses:
            self.refusals[call.task_id] += 1
            await self.travel(self.manner.travels_s)
            self.seen["refused"].set()
            raise ProviderUnavailable("busy, and nothing was taken")
        now = time.time()
        order = Order(
            f"job-{len(self.orders) + 1}", call.task_id, call.client_reference, now, now + self.manner.lasts_s
        )
        order.failed = len(self.of(call.task_id)) < self.manner.fails
        self.orders.append(order)
        self.seen["ordering"].set()
        return order

    async def answer(self, order: Order) -> None:
        """The way back."""
        await self.travel(self.manner.travels_s)
        order.answered_at = time.time()

    def of(self, task_id: UUID) -> list[Order]:
        """All orders of a task."""
        return [order for order in self.orders if order.task_id == task_id]

    def by_id(self, job_id: str) -> Order:
        """The order of that job."""
        return next(order for order in self.orders if order.id == job_id)


class Words(Input):
    """What all models take."""

    prompt: str = "x"


def content_of(task_id: UUID) -> bytes:
    """What is made for a task: no words, which would be no success where a picture is ordered."""
    return f"\0made for {task_id}".encode()


@dataclass
class Painter(Local[Words]):
    """Works here."""

    books: Books

    async def run(self, call: Call[Words], report: Report) -> Result:
        self.books.local_runs[call.task_id] += 1
        for step in range(3):
            report(step / 3)
            await self.books.travel(0.02)
        return Result((Output(content_of(call.task_id)),))


@dataclass
class Shop(Immediate[Words]):
    """Answers with the output."""

    books: Books

    async def generate(self, call: Call[Words]) -> Result:
        order = await self.books.order(call)
        await asyncio.sleep(self.books.manner.lasts_s)
        await self.books.answer(order)
        return Result((Output(_stream(self.books, content_of(call.task_id))),), Cost(PRICE_USD))


@dataclass
class Studio(TwoPhase[Words]):
    """Takes jobs."""

    poll_interval = PollInterval(0.03, 1.0, 0.03)
    books: Books

    async def submit(self, call: Call[Words]) -> Submission:
        order = await self.books.order(call)
        await self.books.answer(order)
        return Submission(order.id)

    async def poll(self, job: Job[Words]) -> Progress:
        await self.books.travel(0.004)
        order = self.books.by_id(job.id)
        self.books.seen["running"].set()
        if time.time() < order.done_at:
            return Progress(0.5)
        if order.failed:
            return Progress(failed=ProviderUnavailable("the job broke and was not charged"))
        return Progress(1.0, done=True)

    async def collect(self, job: Job[Words]) -> Result:
        self.books.seen["collecting"].set()
        await self.books.travel(self.books.manner.collect_s)
        self.books.by_id(job.id).collected += 1
        return Result((Output(_stream(self.books, content_of(job.call.task_id))),), Cost(PRICE_USD))


class Finding(Studio):
    """Can be asked for a job by our reference."""

    can_find = True

    async def find(self, call: Call[Words]) -> Submission | None:
        await self.books.travel(0.004)
        return next(
            (Submission(one.id) for one in self.books.orders if one.reference == call.client_reference), None
        )


class Stopping(Studio):
    """Can stop a job."""

    can_cancel = True

    async def cancel(self, job: Job[Words]) -> None:
        await self.books.travel(0.004)
        order = self.books.by_id(job.id)
        order.canceled_at = order.canceled_at or time.time()


class Helpful(Finding, Stopping):
    """Can do both."""


async def _stream(books: Books, content: bytes) -> AsyncIterator[bytes]:
    yield content[:5]
    await books.travel(0.004)
    yield content[5:]


def provider_of(books: Books) -> Provider:
    """The vendor as a plug-in, with one model a shape."""
    engines = {
        "local": Painter(books),
        "immediate": Shop(books),
        "blind": Studio(books),
        "find": Finding(books),
        "stop": Stopping(books),
        "helpful": Helpful(books),
    }
    models = tuple(
        Model(
            name,
            ("text-to-image",),
            Words,
            engine,
            price=None if name == "local" else lambda _: PRICE_USD,
        )
        for name, engine in engines.items()
    )
    return Provider(NAME, models, paid=True)


def asked_as(models: str) -> str | tuple[str, ...]:
    """What an order says for a model, or for several with commas between them."""
    first, *others = (f"{NAME}/{one}" for one in models.split(","))
    return (first, *others) if others else first
