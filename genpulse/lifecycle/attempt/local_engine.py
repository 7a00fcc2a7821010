"""Running a model here: doing it again costs nothing."""

from typing import Any

from genpulse.domain.errors import ProviderUnavailable, StorageUnavailable
from genpulse.lifecycle.attempt.outputs.receiving import OutputReceiver
from genpulse.lifecycle.attempt.outputs.storing import Made
from genpulse.lifecycle.attempt.work import Work
from genpulse.provider import Local


async def run_local(work: Work, engine: Local[Any]) -> Made:
    """What the engine makes. It is the one kind of work that is cut off when it has to stop: raises `Stopped`."""
    await work.check_spending()
    work.permit.used = True
    result = await work.signal.ask(lambda: engine.run(work.call, work.report), None)
    try:
        return await work.signal.ask(lambda: OutputReceiver(work).take(result), None)
    except StorageUnavailable as error:
        raise ProviderUnavailable(f"The output was made and could not be kept: {error}") from error
