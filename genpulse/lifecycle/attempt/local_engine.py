"""Running an engine that works in this process: doing it again costs nothing."""

from pathlib import Path
from typing import Any

from genpulse.domain.errors import ProviderUnavailable, StorageUnavailable
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.outputs.received import ReceivedResult
from genpulse.lifecycle.attempt.outputs.receiving import OutputReceiver
from genpulse.ports import EngineStep
from genpulse.provider import Local, Result


async def run_local(run: AttemptRun, engine: Local[Any]) -> ReceivedResult:
    """Run the engine and receive its outputs. Raises `Stopped`: this work alone is cut off when it has to stop."""
    await run.check_budget()
    run.account.has_ordered = True
    with run.services.tracing.engine_step(EngineStep.RUN, run.task):
        result = run.checked(await run.signal.ask(lambda: engine.run(run.call, run.report), None))
    run.stopwatch.done()
    try:
        return await _received(run, result)
    except StorageUnavailable as error:
        raise ProviderUnavailable(f"The output was made and could not be kept: {error}") from error


async def _received(run: AttemptRun, result: Result) -> ReceivedResult:
    """What has no streams is there already."""
    receiver = OutputReceiver(run)
    if all(isinstance(output.content, bytes | Path) for output in result.outputs):
        run.signal.check()
        return await receiver.receive(result)
    return await run.signal.ask(lambda: receiver.receive(result), None)
