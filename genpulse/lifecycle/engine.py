"""Getting a result out of an engine, whatever its shape, without asking for paid work twice by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from genpulse.domain.attempt import Attempt, Begun
from genpulse.domain.errors import (
    GenPulseError,
    OutputUnavailable,
    ProviderUnavailable,
    StorageUnavailable,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged
from genpulse.domain.recovery import Recovery, Shape, Unknown, recover
from genpulse.lifecycle.interruption import Signal
from genpulse.lifecycle.outputs import Made, receive
from genpulse.lifecycle.patience import patiently
from genpulse.lifecycle.purse import check_before_paying, has_to_be_checked
from genpulse.ports import Services
from genpulse.provider import AnyModel, Call, Engine, Immediate, Local, Report, Result

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


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt, as its engine sees it, and the journal that it writes before anything is paid for.

    `files` removes what outputs wait in until they are stored.
    """

    services: Services
    begun: Begun
    model: AnyModel
    call: Call[Any]
    report: Report
    signal: Signal
    files: AsyncExitStack

    def recovery(self, *, repeatable: bool, can_find: bool) -> Recovery:
        """What is to be done about an earlier attempt that did not come to an end."""
        shape = shape_of(self.model.engine)
        resubmits = self.begun.task.provider in self.services.retry.resubmits
        return recover(
            self.begun.previous, shape=shape, repeatable=repeatable, can_find=can_find, resubmits=resubmits
        )

    async def check_spending(self) -> None:
        """Raises `SpendingNotAllowed` or `OverBudget` where asking the provider costs what may not be spent."""
        task = self.begun.task
        if not has_to_be_checked(self.services, task):
            return
        await patiently(
            "the budget for task %s",
            task.id,
            lambda: check_before_paying(self.services, task),
            random=self.services.random,
        )

    async def journal_submitting(self) -> None:
        """Commit that the vendor is about to be asked, unless that costs what may not be spent.

        Raises `SpendingNotAllowed`, `OverBudget`, `LeaseLost`.
        """
        await self.check_spending()
        lease, now = self.begun.lease, self.services.now()
        await self._journal(lambda: self.services.store.journal_submitting(lease, now))

    async def journal_job(self, job_id: str) -> None:
        """Commit the vendor's job id. Raises `LeaseLost`."""
        await self._journal(lambda: self.services.store.journal_job(self.begun.lease, job_id))

    async def receive(self, result: Result) -> Made:
        """The result without streams. Raises as `outputs.receive` does."""
        return await receive(self.services, result, self.files)

    async def tell_success(self) -> None:
        """The provider has taken what it was asked for."""
        await self.services.gate.succeeded(self.begun.task.provider)

    async def _journal(self, write: Callable[[], Awaitable[None]]) -> None:
        await patiently("the journal of task %s", self.begun.task.id, write, random=self.services.random)


async def run_local(work: Work, engine: Local[Any]) -> Made:
    """Run it here; doing it again after a crash costs nothing."""
    await work.check_spending()
    result = await engine.run(work.call, work.report)
    try:
        return await work.receive(result)
    except StorageUnavailable as error:
        raise ProviderUnavailable(f"The output was made and could not be kept: {error}") from error


async def run_immediate(work: Work, engine: Immediate[Any]) -> Made:
    """Ask once. A request that an earlier attempt may have sent is not sent again."""
    if isinstance(work.recovery(repeatable=engine.repeatable, can_find=False), Unknown):
        raise lost_before(work.begun.previous)
    await work.journal_submitting()
    result = await asked_once(engine.generate(work.call), engine.answer_s)
    await work.tell_success()
    try:
        return await work.receive(result)
    except StorageUnavailable as error:
        message = f"The output was made and came as a stream, which could not be kept: {error}"
        raise OutputUnavailable(message, charged=Charged.YES) from error
    except OSError as error:
        message = f"The output was made and broke off while it came ({type(error).__name__}: {error})."
        raise OutputUnavailable(message, charged=Charged.YES) from error


async def asked_once(request: Awaitable[T], answer_s: float) -> T:
    """The answer to a request that may cost money: what is not a plain refusal leaves its outcome unknown.

    An answer is waited for `answer_s` seconds.
    """
    try:
        async with asyncio.timeout(answer_s):
            return await request
    except GenPulseError:
        raise
    except Exception as error:
        raise UnknownOutcome(
            f"The provider was asked and its answer got lost ({type(error).__name__}: {error})."
            " Look into the provider's own list of jobs before this task is run again."
        ) from error


def lost_before(previous: Attempt | None) -> UnknownOutcome:
    """The end of a task whose earlier attempt was cut off between asking and being answered."""
    number = previous.number if previous else 0
    return UnknownOutcome(
        f"The worker of attempt {number} was lost after it had begun to ask the provider and before an answer"
        " was kept. The provider cannot be asked about it: look into its own list of jobs before a retry."
    )
