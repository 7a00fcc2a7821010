"""What an engine made, on its way into the team's own storage."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genpulse.domain.asset import Asset
from genpulse.domain.cost import Cost
from genpulse.domain.errors import ContentTooLarge, OutputUnavailable
from genpulse.domain.failure import Charged
from genpulse.domain.recovery import Shape
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.work import Work
from genpulse.provider import Output, Result

Whole: TypeAlias = bytes | Path
"""Content that can be read more than once."""


@dataclass(frozen=True, slots=True)
class Made:
    """A result without streams: storing it may take more than one try, and a stream can be read once only."""

    contents: tuple[Whole, ...]
    cost: Cost | None = None


async def receive(work: Work, result: Result) -> Made:
    """Read the streams of a result into files, which `work.files` removes.

    Raises `OutputUnavailable` for what is too large, `StorageUnavailable` where the local disk does not take it,
    and whatever a stream raises.
    """
    contents = [await _whole(work, output) for output in result.outputs]
    return Made(tuple(contents), result.cost)


async def _whole(work: Work, output: Output) -> Whole:
    if isinstance(output.content, bytes | Path):
        return output.content
    services = work.services
    spool = services.storage.spool(output.content, limit_bytes=services.output_limit_bytes)
    try:
        return await work.files.enter_async_context(spool)
    except ContentTooLarge as error:
        raise _too_large(error) from error


async def store(work: Work, content: Whole) -> Asset:
    """Keep one output, however long the storage is away: it may have been paid for.

    Raises `OutputUnavailable`, and `Stopped` where another worker can get the same output again.
    """
    services, begun = work.services, work.begun
    is_last_chance = work.shape is Shape.IMMEDIATE
    keep = work.whatever_comes if is_last_chance else work.until_released
    try:
        kept = await keep(
            "an output of task %s",
            WaitsFor.STORAGE,
            lambda: services.storage.keep(content, limit_bytes=services.output_limit_bytes),
        )
    except ContentTooLarge as error:
        raise _too_large(error) from error
    return Asset(
        id=services.new_id(),
        content=kept,
        created_at=services.now(),
        environment=services.environment.name,
        task_id=begun.task.id,
        owner=begun.task.owner,
    )


def _too_large(error: ContentTooLarge) -> OutputUnavailable:
    return OutputUnavailable(
        f"What was made is larger than {error.limit_bytes:,} bytes, which is as much as one output may have here"
        " (worker.output_limit_bytes).",
        charged=Charged.YES,
    )
