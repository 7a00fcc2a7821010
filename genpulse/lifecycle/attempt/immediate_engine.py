"""Running an engine whose request is answered with the output."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from genpulse.domain.errors import (
    GenPulseError,
    OutputUnavailable,
    ProviderError,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged
from genpulse.domain.recovery import Unknown
from genpulse.domain.task import OpenOrder
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.outputs.received import ReceivedResult
from genpulse.lifecycle.attempt.outputs.receiving import receive_answer
from genpulse.provider import Immediate, Result
from genpulse.provider.http import AnswerTooLarge

T = TypeVar("T")


async def run_immediate(run: AttemptRun, engine: Immediate[Any]) -> ReceivedResult:
    """Send the request once. One that an earlier attempt may have sent is not sent again.

    From the moment the request is sent until its output is kept nothing interrupts it. Raises `Stopped` before.
    """
    if isinstance(run.recovery(repeatable=engine.repeatable, can_find=False), Unknown):
        raise order_without_answer(run.task.order)
    await run.journal_order()
    try:
        result = await ask_once(_generate(run, engine), engine.answer_s, is_free=run.is_free)
        await run.tell_gate_of_success()
        return await receive_answer(run, result)
    except UnknownOutcome:
        raise
    except ProviderError:
        run.order.close()
        raise


async def _generate(run: AttemptRun, engine: Immediate[Any]) -> Result:
    try:
        return await engine.generate(run.call)
    except AnswerTooLarge as error:
        message = f"The output was made, and the answer that holds it is too large: {error}"
        raise OutputUnavailable(message, charged=Charged.YES) from error


async def ask_once(request: Awaitable[T], answer_s: float, *, is_free: bool) -> T:
    """The answer to a request that may cost money: what is not a plain refusal leaves its outcome unknown.

    An answer is waited for `answer_s` seconds. An error that would be tried again is a refusal only where it cost
    nothing, as with a provider that `is_free`.
    """
    try:
        async with asyncio.timeout(answer_s):
            return await request
    except ProviderError as error:
        if error.retryable and error.charged is not Charged.NO and not is_free:
            raise _lost_answer(error) from error
        raise
    except GenPulseError:
        raise
    except Exception as error:
        raise _lost_answer(error) from error


def _lost_answer(error: Exception) -> UnknownOutcome:
    return UnknownOutcome(
        f"The provider was asked and its answer got lost ({type(error).__name__}: {error})."
        " Look into the provider's own list of jobs before this task is run again."
    )


def order_without_answer(order: OpenOrder | None) -> UnknownOutcome:
    """The end of a task that an earlier attempt has ordered something for, and was cut off before the answer."""
    when = f" at {order.sent_at:%Y-%m-%d %H:%M:%S} UTC under {order.reference}" if order else ""
    return UnknownOutcome(
        f"A worker was lost after it had begun to ask the provider{when} and before an answer was kept. The"
        " provider cannot be asked about it: look into its own list of jobs before a retry."
    )
