"""One attempt while it runs: what its engine needs, and the journal that it writes before anything is paid for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from genpulse.domain.attempt import Claim
from genpulse.domain.errors import BadInput, DatabaseUnavailable, InvalidInput, ProviderRejected, UnknownModel
from genpulse.domain.failure import Charged, Failure, FailureCode
from genpulse.domain.money.cost import Cost
from genpulse.domain.provider_account.gate import Circuit
from genpulse.domain.provider_account.learned_concurrency import Load
from genpulse.domain.recovery import Recovery, recover
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.input_files import TaskAttachments
from genpulse.lifecycle.attempt.interruption import ANY_INTERRUPTION, Interruption, Signal
from genpulse.lifecycle.attempt.orders import AccountUse, AttemptOrder
from genpulse.lifecycle.attempt.progress import ProgressReport
from genpulse.lifecycle.attempt.stopwatch import AttemptStopwatch
from genpulse.lifecycle.budgets.check import has_to_be_held, hold_before_paying, is_free
from genpulse.lifecycle.provider_callback import callback_url
from genpulse.lifecycle.store_retry import until_available
from genpulse.ports import Services
from genpulse.provider import AnyModel, Call, Engine, Immediate, Local, Result

STOPS_LOOKED_AT_S = 1.0

T = TypeVar("T")


class AttemptRun:
    """One attempt from its claim to its end. `interrupt` and `poll_now` may be called at any moment.

    `call` is what the engine is asked for, once `prepare` has returned. `files` removes what inputs and outputs
    wait in. `turn` is held while a result is fetched and stored, but not while it waits for what is away, so that
    the next ones are fetched before the vendor removes them. The attempt began at `began_at` by a clock that does
    not jump, in seconds. `is_given_back`: its end is that another worker goes on, and only has to be written.
    """

    call: Call[Any]

    def __init__(self, services: Services, claim: Claim) -> None:
        self.services = services
        self.lease = claim.lease
        self.task = claim.task
        self.attempt = claim.attempt
        self.was_admitted = claim.admitted
        self.is_given_back = False
        self.began_at = time.monotonic()
        self.stopwatch = AttemptStopwatch(self.began_at)
        self.signal = Signal(services.contained_tasks)
        self.report = ProgressReport(services, claim.lease, claim.task.seq, self.signal)
        self.order = AttemptOrder(claim.task.order)
        self.account = AccountUse()
        self.files = AsyncExitStack()
        self.turn = services.collecting.of(claim.task.provider)
        if claim.task.cancel_requested:
            self.interrupt(Interruption.CANCELED)

    def interrupt(self, why: Interruption) -> None:
        """Stop at the next step that may be given up. Only the first reason counts."""
        self.signal.interrupt(why)

    def abandon(self) -> None:
        """Let nothing more be written about this attempt, and nothing be ordered."""
        self.signal.abandon()

    @property
    def is_abandoned(self) -> bool:
        """Whether it ends now, whatever it is about."""
        return self.signal.is_abandoned

    def heed_interruption(self) -> None:
        """For whoever goes on, perhaps after an error that came of being cut off: raises what that is to end by.

        That is `CancelledError` where the attempt is abandoned, else `Stopped`, where it may be interrupted now,
        and `TimeoutError` where the request that goes on has taken too long.
        """
        if self.is_abandoned:
            raise asyncio.CancelledError
        if not self.is_immediate:
            self.signal.check()
        if self.signal.is_cut_off:
            raise TimeoutError

    def poll_now(self) -> None:
        """Ask the vendor at once: it has said that something happened."""
        self.signal.wake()

    @property
    def engine(self) -> Engine[Any] | None:
        """The engine of the task's model, None where this worker no longer has the model."""
        try:
            return self.services.catalogue.model(self.task.model).engine
        except UnknownModel:
            return None

    @property
    def is_local(self) -> bool:
        """Whether the work is done in this process: doing it again costs nothing."""
        return isinstance(self.engine, Local)

    @property
    def is_immediate(self) -> bool:
        """Whether the one answer of the vendor is the output: it cannot be asked for again."""
        return isinstance(self.engine, Immediate)

    @property
    def is_free(self) -> bool:
        """Whether the provider costs nothing, whatever becomes of what it was asked for."""
        return is_free(self.services, self.task.provider)

    async def expect(self, key: str, size: int) -> str:
        """Note that bytes of this task are about to be stored: see `Retention.expect`."""
        return await self.services.retention.expect(key, size, self.task.id)

    def as_charged(self, failure: Failure) -> Failure:
        """The failure, without a charge where the provider costs nothing."""
        return replace(failure, charged=Charged.NO) if self.is_free else failure

    def prepare(self) -> Engine[Any]:
        """Make the call, and return the engine that takes it.

        Raises `ProviderRejected` where the model is gone, `InvalidInput` where it no longer takes the input.
        """
        model = self._model()
        self.call = Call(
            model=model.name,
            kind=self.task.kind,
            input=self._input(model),
            task_id=self.task.id,
            client_reference=self.attempt.client_reference,
            attempt=self.attempt.number,
            callback_url=callback_url(self.services.callback_base_url, self.task, self.attempt),
            attachments=TaskAttachments(self.services, self.task, self.files),
            threads=self.services.threads,
        )
        return model.engine

    def _model(self) -> AnyModel:
        try:
            return self.services.catalogue.model(self.task.model)
        except UnknownModel as error:
            raise ProviderRejected(f"This worker no longer has the model {self.task.model!r}.") from error

    def _input(self, model: AnyModel) -> Any:
        try:
            return model.parse(self.task.model_input)
        except BadInput as error:
            details = "; ".join(f"{problem.pointer}: {problem.detail}" for problem in error.problems)
            raise InvalidInput(f"The input no longer fits the model: {details}") from error

    def checked(self, result: object) -> Result:
        """What an engine has returned. Raises `TypeError` where that is no result."""
        if isinstance(result, Result):
            return result
        raise TypeError(
            f"the engine of {self.task.model} has to return a Result, and returned {type(result).__name__}:"
            f" {result!r:.60}"
        )

    def cost_of(self, result: Result) -> Cost | None:
        """What a result did cost: as its engine says, else by the model's price and what the vendor reports."""
        if result.cost is not None:
            return result.cost
        try:
            model = self.services.catalogue.model(self.task.model)
        except UnknownModel:
            return None
        return model.cost_of(self.call.input, result.usage)

    def now(self) -> datetime:
        """The time by the clock of the database, as far as it is known here."""
        return self.attempt.started_at + timedelta(seconds=time.monotonic() - self.began_at)

    def left_s(self) -> float | None:
        """Seconds until the task's deadline, None without one. When the attempt began is the database's word."""
        if self.task.deadline_at is None or self.task.deadline_is_for_start:
            return None
        at_begin_s = (self.task.deadline_at - self.attempt.started_at).total_seconds()
        return max(at_begin_s - (time.monotonic() - self.began_at), 0.0)

    def recovery(self, *, repeatable: bool, can_find: bool) -> Recovery:
        """Decide what is done about an order that was open when this attempt began."""
        order = self.task.order
        is_only_doubted = order is not None and not order.can_be_looked_up
        resubmits = self.task.provider in self.services.retry.resubmits or (is_only_doubted and self.is_free)
        return recover(order, repeatable=repeatable, can_find=can_find, resubmits=resubmits)

    async def check_budget(self) -> None:
        """Raises `SpendingNotAllowed` or `OverBudget` where asking costs what may not be spent, `Stopped`."""
        self.signal.check()
        if has_to_be_held(self.services, self.task):
            await self.until_available(
                "the budget for task %s",
                WaitsFor.DATABASE,
                lambda: hold_before_paying(self.services, self.task),
                stops=ANY_INTERRUPTION,
            )

    async def journal_order(self) -> None:
        """Commit that the vendor is about to be asked, unless that costs what may not be spent.

        Raises `SpendingNotAllowed`, `OverBudget`, `LeaseLost`, `Stopped`: then the vendor is not asked.
        """
        await self.check_budget()
        self.signal.check()
        order = await self.until_available(
            "the journal of task %s",
            WaitsFor.DATABASE,
            lambda: self.services.store.journal_order(self.lease),
            stops=ANY_INTERRUPTION,
        )
        self.account.has_ordered = self.account.was_asked = True
        self.order.start(order)

    async def journal_job(self, job_id: str) -> None:
        """Commit the vendor's job id, however long that takes. Raises `LeaseLost`."""
        self.order.job_id = job_id
        await self.until_available(
            "the journal of task %s",
            WaitsFor.DATABASE,
            lambda: self.services.store.journal_job(self.lease, job_id),
        )

    async def tell_gate_of_success(self) -> None:
        """Tell the gate that the provider has taken what it was asked for."""
        self.account.gate_was_told = True
        await self.services.gate.succeeded(self.task.provider)

    async def tell_gate_of_failure(self, failure: Failure) -> Circuit:
        """Tell the gate that the provider was asked and failed, and under which load where it wants less of it."""
        self.account.gate_was_told = True
        load = await self._load() if failure.code is FailureCode.RATE_LIMITED else None
        return await self.services.gate.failed(self.task.provider, failure, load)

    async def _load(self) -> Load | None:
        """None while the database is away."""
        age_s = time.monotonic() - self.began_at
        try:
            return Load(await self.services.queue.running(self.task.provider), age_s)
        except DatabaseUnavailable:
            return None

    async def until_available(
        self,
        what: str,
        waits_for: WaitsFor,
        act: Callable[[], Awaitable[T]],
        *,
        stops: Collection[Interruption] = (),
    ) -> T:
        """The result of `act`, tried again while its service is away; meanwhile the task shows what it waits for.

        Raises `Stopped` between two tries for an interruption in `stops`, and what `act` refuses.
        """

        async def wait(seconds: float) -> None:
            had_turn = self.turn.give_back()
            await self.report.wait_for(waits_for)
            await self._sleep(seconds, stops)
            if had_turn:
                await self._take_turn(stops)

        result = await until_available(self.services, what, self.task.id, act, wait=wait)
        await self.report.go_on()
        return result

    async def step_aside(self, seconds: float) -> None:
        """Wait, and let the next result be fetched meanwhile."""
        self.turn.give_back()
        await asyncio.sleep(seconds)

    async def _take_turn(self, stops: Collection[Interruption]) -> None:
        """Wait for it once more, in order of coming. Raises `Stopped` for an interruption in `stops`."""
        queueing = asyncio.ensure_future(self.turn.take())
        try:
            while not queueing.done():
                await asyncio.wait((queueing,), timeout=STOPS_LOOKED_AT_S)
                if self.signal.why in stops:
                    self.signal.check()
        finally:
            queueing.cancel()
            await asyncio.gather(queueing, return_exceptions=True)

    async def _sleep(self, seconds: float, stops: Collection[Interruption]) -> None:
        if Interruption.CANCELED in stops:
            await self.signal.pause(seconds)
            return
        await asyncio.sleep(seconds)
        if self.signal.why in stops:
            self.signal.check()
