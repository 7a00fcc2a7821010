"""What an engine made, on its way into the team's own storage."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genpulse.domain.asset import Asset
from genpulse.domain.attempt import Begun
from genpulse.domain.cost import Cost
from genpulse.domain.errors import ContentTooLarge, OutputUnavailable, StorageLost
from genpulse.domain.failure import Charged
from genpulse.lifecycle.patience import patiently
from genpulse.ports import Services
from genpulse.provider import Output, Result

STORED_AGAIN_S = 86_400.0
"""Outputs that waited so long for their fellows, in seconds, are stored once more before they become assets."""

Whole: TypeAlias = bytes | Path
"""Content that can be read more than once."""


@dataclass(frozen=True, slots=True)
class Made:
    """A result without streams: storing it may take more than one try, and a stream can be read once only."""

    contents: tuple[Whole, ...]
    cost: Cost | None = None


async def receive(
    services: Services, result: Result, files: AsyncExitStack, *, charged: Charged = Charged.YES
) -> Made:
    """Read the streams of a result into files, which `files` removes. `charged`: whether the result was paid for.

    Raises `OutputUnavailable` for what is too large, `StorageUnavailable` where the local disk does not take it,
    and whatever a stream raises.
    """
    contents = [await _whole(services, output, files, charged) for output in result.outputs]
    return Made(tuple(contents), result.cost)


async def _whole(services: Services, output: Output, files: AsyncExitStack, charged: Charged) -> Whole:
    if isinstance(output.content, bytes | Path):
        return output.content
    spool = services.storage.spool(output.content, limit_bytes=services.output_limit_bytes)
    try:
        return await files.enter_async_context(spool)
    except ContentTooLarge as error:
        raise _too_large(error, charged) from error


async def store_all(
    services: Services,
    begun: Begun,
    made: Made,
    *,
    charged: Charged = Charged.YES,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Asset, ...]:
    """Keep all outputs, however long the storage is away, so that they can become assets at once.

    Bytes that are no asset's are removed a week and more after they were stored: what has waited for a day by
    `clock`, in seconds, is stored again. Raises `OutputUnavailable`.
    """
    while True:
        began = clock()
        assets = [await store(services, begun, content, charged=charged) for content in made.contents]
        if clock() - began < STORED_AGAIN_S:
            return tuple(assets)


async def store(services: Services, begun: Begun, content: Whole, *, charged: Charged = Charged.YES) -> Asset:
    """Keep one output, however long the storage is away: it may have been paid for, as `charged` says.

    Raises `OutputUnavailable` for what is too large, and for a file that the engine names and nobody can read.
    """
    limit, expect = services.output_limit_bytes, services.retention.expect
    try:
        kept = await patiently(
            "an output of task %s",
            begun.task.id,
            lambda: services.storage.keep(content, limit_bytes=limit, noting=expect),
            random=services.random,
        )
    except ContentTooLarge as error:
        raise _too_large(error, charged) from error
    except StorageLost as error:
        raise OutputUnavailable(f"What was made cannot be kept. {error}", charged=charged) from error
    return Asset(
        id=services.new_id(),
        content=kept,
        created_at=services.now(),
        environment=services.environment.name,
        task_id=begun.task.id,
        owner=begun.task.owner,
    )


def _too_large(error: ContentTooLarge, charged: Charged) -> OutputUnavailable:
    return OutputUnavailable(
        f"What was made is larger than {error.limit_bytes:,} bytes, which is as much as one output may have here"
        " (worker.output_limit_bytes).",
        charged=charged,
    )
