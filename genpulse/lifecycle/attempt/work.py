"""The context of one attempt: task, services, journal and money."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from genpulse.domain.attempt import Begun
from genpulse.domain.recovery import Recovery, Shape, recover
from genpulse.domain.task import OpenOrder, WaitsFor
from genpulse.lifecycle.attempt.interruption import Interruption, Signal
from genpulse.lifecycle.attempt.progress import ProgressReport
from genpulse.lifecycle.budget import check_before_paying, has_to_be_checked
from genpulse.lifecycle.store_retry import Wait, until_available
from genpulse.ports import Services
from genpulse.provider import AnyModel, Call, Engine, Immediate, Local

T = TypeVar("T")


def shape_of(engine: Engine[Any]) -> Shape:
    """Which of the three shapes an engine has."""
    match engine:
        case Local():
            return Shape.LOCAL
        case Immediate():
            return Shape.IMMEDIATE
        case _:
            return Shape.TWO_PHASE


@dataclass(slots=True)
class Money:
    """What is known about an order while an attempt runs.

    `order` is what may be open at the vendor: it came with the task or was made by this attempt at `ordered_at`.
    `job_id` is what the vendor calls it. Whoever learns what became of it closes it.
    """

    order: OpenOrder | None
    job_id: str | None = None
    ordered_at: datetime | None = None

    def __post_init__(self) -> None:
        """A job that an earlier attempt has left is known from the start."""
        self.job_id = self.order.job_id if self.order else None

    @property
    def asked(self) -> bool:
        """Whether this attempt has made an order."""
        return self.ordered_at is not None

    def made(self, order: OpenOrder) -> None:
        """This attempt is about to ask the vendor."""
        self.order, self.ordered_at, self.job_id = order, order.sent_at, None

    @property
    def is_open(self) -> bool:
        """Whether the vendor may hold something of which nobody knows the end."""
        return self.order is not None

    def close(self) -> None:
        """It is known what became of the order."""
        self.order = None


@dataclass(slots=True)
class Permit:
    """What the provider's gate has let through: `used` once the provider is asked for something new.

    `asked`: the account was asked for anything at all, so that a failure says something about it. `told`: the gate
    has learned how the account is.
    """

    used: bool = False
    asked: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt, and the journal that it writes before anything is paid for.

    `files` removes what outputs wait in until they are stored. It began at `began_at` by a clock that does not
    jump, in seconds.
    """

    services: Services
    begun: Begun
    model: AnyModel
    call: Call[Any]
    report: ProgressReport
    signal: Signal
    files: AsyncExitStack
    money: Money
    permit: Permit
    began_at: float

    def moment(self) -> datetime:
        """What time it is by the clock of the database, as far as it is known here."""
        return self.begun.attempt.started_at + timedelta(seconds=time.monotonic() - self.began_at)

    @property
    def shape(self) -> Shape:
        """How the model is run."""
        return shape_of(self.model.engine)

    def recovery(self, *, repeatable: bool, can_find: bool) -> Recovery:
        """What is to be done about an order that was open when this attempt began."""
        resubmits = self.begun.task.provider in self.services.retry.resubmits
        order = self.begun.task.order
        return recover(order, shape=self.shape, repeatable=repeatable, can_find=can_find, resubmits=resubmits)

    async def check_spending(self) -> None:
        """Raises `SpendingNotAllowed` or `OverBudget` where asking costs what may not be spent, `Stopped`."""
        task = self.begun.task
        if has_to_be_checked(self.services, task):
            await self.until_stopped(
                "the budget for task %s", WaitsFor.DATABASE, lambda: check_before_paying(self.services, task)
            )

    async def journal_order(self) -> None:
        """Commit that the vendor is about to be asked, unless that costs what may not be spent.

        Raises `SpendingNotAllowed`, `OverBudget`, `LeaseLost`, `Stopped`: then the vendor is not asked.
        """
        await self.check_spending()
        lease = self.begun.lease
        order = await self.until_stopped(
            "the journal of task %s", WaitsFor.DATABASE, lambda: self.services.store.journal_order(lease)
        )
        self.permit.used = self.permit.asked = True
        self.money.made(order)

    async def journal_job(self, job_id: str) -> None:
        """Commit the vendor's job id, however long that takes. Raises `LeaseLost`."""
        self.money.job_id = job_id
        lease = self.begun.lease
        await self.whatever_comes(
            "the journal of task %s", WaitsFor.DATABASE, lambda: self.services.store.journal_job(lease, job_id)
        )

    async def tell_success(self) -> None:
        """The provider has taken what it was asked for."""
        self.permit.told = True
        await self.services.gate.succeeded(self.begun.task.provider)

    async def whatever_comes(self, what: str, waits_for: WaitsFor, act: Callable[[], Awaitable[T]]) -> T:
        """The result of something that holds money: no interruption ends it."""
        return await self._patiently(what, act, self._telling(waits_for, ()))

    async def until_stopped(self, what: str, waits_for: WaitsFor, act: Callable[[], Awaitable[T]]) -> T:
        """The result of something that another attempt can begin anew. Raises `Stopped` between two tries."""
        self.signal.check()
        return await self._patiently(what, act, self._telling(waits_for, tuple(Interruption)))

    async def until_released(self, what: str, waits_for: WaitsFor, act: Callable[[], Awaitable[T]]) -> T:
        """The result of something that another worker can do as well, and that nobody else ends.

        Raises `Stopped` between two tries when this worker goes away or has lost the task.
        """
        telling = self._telling(waits_for, {Interruption.RELEASED, Interruption.LEASE_LOST})
        return await self._patiently(what, act, telling)

    async def _patiently(self, what: str, act: Callable[[], Awaitable[T]], wait: Wait) -> T:
        services = self.services
        result = await until_available(
            what, self.begun.task.id, act, random=services.random, loops=services.loops, wait=wait
        )
        await self.report.go_on()
        return result

    def _telling(self, waits_for: WaitsFor, stops: Collection[Interruption]) -> Wait:
        async def wait(seconds: float, _why: str) -> None:
            await self.report.wait_for(waits_for)
            if Interruption.CANCELED in stops:
                await self.signal.pause(seconds)
                return
            await asyncio.sleep(seconds)
            if self.signal.why in stops:
                self.signal.check()

        return wait
