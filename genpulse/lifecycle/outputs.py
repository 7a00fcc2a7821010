"""What an engine made, on its way into the team's own storage."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genpulse.domain.asset import Asset
from genpulse.domain.attempt import Begun
from genpulse.domain.cost import Cost
from genpulse.domain.errors import ContentTooLarge, OutputUnavailable
from genpulse.domain.failure import Charged
from genpulse.lifecycle.patience import patiently
from genpulse.ports import Services
from genpulse.provider import Output, Result

Whole: TypeAlias = bytes | Path
"""Content that can be read more than once."""


@dataclass(frozen=True, slots=True)
class Made:
    """A result without streams: storing it may take more than one try, and a stream can be read once only."""

    contents: tuple[Whole, ...]
    cost: Cost | None = None


async def receive(services: Services, result: Result, files: AsyncExitStack) -> Made:
    """Read the streams of a result into files, which `files` removes.

    Raises `OutputUnavailable` for what is too large, `StorageUnavailable` where the local disk does not take it,
    and whatever a stream raises.
    """
    contents = [await _whole(services, output, files) for output in result.outputs]
    return Made(tuple(contents), result.cost)


async def _whole(services: Services, output: Output, files: AsyncExitStack) -> Whole:
    if isinstance(output.content, bytes | Path):
        return output.content
    spool = services.storage.spool(output.content, limit_bytes=services.output_limit_bytes)
    try:
        return await files.enter_async_context(spool)
    except ContentTooLarge as error:
        raise _too_large(error) from error


async def store(services: Services, begun: Begun, content: Whole) -> Asset:
    """Keep one output, however long the storage is away: it may have been paid for. Raises `OutputUnavailable`."""
    try:
        kept = await patiently(
            "an output of task %s",
            begun.task.id,
            lambda: services.storage.keep(content, limit_bytes=services.output_limit_bytes),
            random=services.random,
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
