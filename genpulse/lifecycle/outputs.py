"""What an engine made, on its way into the team's own storage."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genpulse.domain.asset import Asset, Content
from genpulse.domain.cost import Cost
from genpulse.domain.errors import ContentTooLarge, OutputUnavailable, StorageLost
from genpulse.domain.failure import Charged
from genpulse.domain.recovery import Shape
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.work import Work
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
        raise _too_large(error, _charged(work)) from error


async def store_all(work: Work, made: Made, *, clock: Callable[[], float] = time.monotonic) -> tuple[Asset, ...]:
    """Keep all outputs, however long the storage is away, so that they can become assets at once.

    Bytes that are no asset's are removed a week and more after they were stored: what has waited for a day by
    `clock`, in seconds, is stored again. Raises `OutputUnavailable`, and `Stopped` where another worker can get
    the same outputs again.
    """
    while True:
        began = clock()
        assets = [await store(work, content) for content in made.contents]
        if clock() - began < STORED_AGAIN_S:
            return tuple(assets)


async def store(work: Work, content: Whole) -> Asset:
    """Keep one output. Raises as `store_all`: `OutputUnavailable` for what is too large or cannot be read."""
    services, begun, charged = work.services, work.begun, _charged(work)
    try:
        kept = await _keep(work, content)
    except ContentTooLarge as error:
        raise _too_large(error, charged) from error
    except StorageLost as error:
        raise OutputUnavailable(f"What was made cannot be kept. {error}", charged=charged) from error
    return Asset(
        id=services.new_id(),
        content=kept,
        created_at=work.moment(),
        environment=services.environment.name,
        task_id=begun.task.id,
        owner=begun.task.owner,
    )


async def _keep(work: Work, content: Whole) -> Content:
    services = work.services
    limit, expect = services.output_limit_bytes, services.retention.expect
    is_last_chance = work.shape is Shape.IMMEDIATE
    keep = work.whatever_comes if is_last_chance else work.until_released
    return await keep(
        "an output of task %s",
        WaitsFor.STORAGE,
        lambda: services.storage.keep(content, limit_bytes=limit, noting=expect),
    )


def _charged(work: Work) -> Charged:
    return Charged.NO if work.shape is Shape.LOCAL else Charged.YES


def _too_large(error: ContentTooLarge, charged: Charged) -> OutputUnavailable:
    return OutputUnavailable(
        f"What was made is larger than {error.limit_bytes:,} bytes, which is as much as one output may have here"
        " (worker.output_limit_bytes).",
        charged=charged,
    )
