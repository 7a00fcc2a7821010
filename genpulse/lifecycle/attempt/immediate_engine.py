"""Running an engine whose request is answered with the output."""

from typing import Any

from genpulse.domain.errors import OutputUnavailable, ProviderError, UnknownOutcome
from genpulse.domain.failure import Charged
from genpulse.domain.recovery import Unknown
from genpulse.lifecycle.attempt.asking_once import ask_once, order_without_answer
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.outputs.received import ReceivedResult
from genpulse.lifecycle.attempt.outputs.receiving import receive_answer
from genpulse.ports import EngineStep
from genpulse.provider import Immediate, Result
from genpulse.provider.http import AnswerTooLarge


async def run_immediate(run: AttemptRun, engine: Immediate[Any]) -> ReceivedResult:
    """Send the request once. One that an earlier attempt may have sent is not sent again.

    From the moment the request is sent until its output is kept nothing interrupts it. Raises `Stopped` before.
    """
    if isinstance(run.recovery(repeatable=engine.repeatable, can_find=False), Unknown):
        raise order_without_answer(run.task.order)
    await run.journal_order()
    try:
        with run.services.tracing.engine_step(EngineStep.GENERATE, run.task):
            answer = await ask_once(
                run.signal, lambda: _generate(run, engine), engine.answer_s, is_free=run.is_free
            )
        result = run.checked(answer)
        run.stopwatch.done()
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
