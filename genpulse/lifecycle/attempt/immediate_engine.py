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
from genpulse.lifecycle.attempt.outputs.receiving import receive
from genpulse.lifecycle.attempt.outputs.storing import Made
from genpulse.lifecycle.attempt.work import Work
from genpulse.provider import Immediate, Result
from genpulse.provider.http import AnswerTooLarge

T = TypeVar("T")


async def run_immediate(work: Work, engine: Immediate[Any]) -> Made:
    """Ask once. A request that an earlier attempt may have sent is not sent again.

    From the moment the request is sent until its output is kept nothing interrupts it. Raises `Stopped` before.
    """
    if isinstance(work.recovery(repeatable=engine.repeatable, can_find=False), Unknown):
        raise lost_before(work.begun.task.order)
    await work.journal_order()
    try:
        result = await asked_once(_generated(work, engine), engine.answer_s)
        await work.tell_success()
        return await receive(work, result)
    except UnknownOutcome:
        raise
    except ProviderError:
        work.money.close()
        raise


async def _generated(work: Work, engine: Immediate[Any]) -> Result:
    try:
        return await engine.generate(work.call)
    except AnswerTooLarge as error:
        message = f"The output was made, and the answer that holds it is too large: {error}"
        raise OutputUnavailable(message, charged=Charged.YES) from error


async def asked_once(request: Awaitable[T], answer_s: float) -> T:
    """The answer to a request that may cost money: what is not a plain refusal leaves its outcome unknown.

    An answer is waited for `answer_s` seconds. An error that would be tried again is a refusal only where it cost
    nothing.
    """
    try:
        async with asyncio.timeout(answer_s):
            return await request
    except ProviderError as error:
        if error.retryable and error.charged is not Charged.NO:
            raise _lost(error) from error
        raise
    except GenPulseError:
        raise
    except Exception as error:
        raise _lost(error) from error


def _lost(error: Exception) -> UnknownOutcome:
    return UnknownOutcome(
        f"The provider was asked and its answer got lost ({type(error).__name__}: {error})."
        " Look into the provider's own list of jobs before this task is run again."
    )


def lost_before(order: OpenOrder | None) -> UnknownOutcome:
    """The end of a task that has ordered something and was cut off before it was answered."""
    sent = f" at {order.sent_at:%Y-%m-%d %H:%M:%S} UTC under {order.reference}" if order else ""
    return UnknownOutcome(
        f"A worker was lost after it had begun to ask the provider{sent} and before an answer was kept. The"
        " provider cannot be asked about it: look into its own list of jobs before a retry."
    )
