"""Storing outputs as assets."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genpulse.domain.asset import Asset, Content, Spooled
from genpulse.domain.errors import ContentTooLarge, OutputUnavailable, StorageLost
from genpulse.domain.failure import Charged
from genpulse.domain.money.cost import Cost
from genpulse.domain.recovery import Shape
from genpulse.domain.task import WaitsFor
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.lifecycle.attempt.work import Work

STORED_AGAIN_S = 86_400.0
"""Outputs that waited so long for their fellows, in seconds, are stored once more before they become assets."""

Whole: TypeAlias = bytes | Path | Spooled
"""Content that can be read more than once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One output. `index` is its place among what was made, `is_text` that it is words beside a file."""

    content: Whole
    index: int = 0
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """An output that cannot be had, and why."""

    index: int
    why: str

    @property
    def warning(self) -> TaskWarning:
        """The same for those who read the task."""
        return TaskWarning(WarningCode.OUTPUT_MISSING, self.why, self.index)


@dataclass(frozen=True, slots=True)
class Made:
    """A result without streams: storing it may take more than one try, and a stream can be read once only."""

    pieces: tuple[Piece, ...]
    cost: Cost | None = None
    gaps: tuple[Gap, ...] = ()
    warnings: tuple[TaskWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """One piece as it lies in the storage."""

    piece: Piece
    asset: Asset


def checked(work: Work, made: Made) -> Made:
    """The same. Raises `OutputUnavailable` where there are gaps and nothing else."""
    if made.gaps and not made.pieces:
        raise OutputUnavailable(_words_of(made.gaps), charged=paid(work))
    return made


async def store_all(
    work: Work, made: Made, *, clock: Callable[[], float] = time.monotonic
) -> tuple[tuple[Stored, ...], tuple[Gap, ...]]:
    """Keep all outputs, however long the storage is away, so that they can become assets at once.

    What is too large, or is a file that cannot be read, is a gap. Bytes that are no asset's are removed a week and
    more after they were stored: what has waited for a day by `clock`, in seconds, is stored again. Raises
    `Stopped` where another worker can get the same outputs again.
    """
    while True:
        began = clock()
        found = [await store(work, piece) for piece in made.pieces]
        if clock() - began < STORED_AGAIN_S:
            break
    gaps = (*made.gaps, *(one for one in found if isinstance(one, Gap)))
    return tuple(one for one in found if isinstance(one, Stored)), gaps


async def store(work: Work, piece: Piece) -> Stored | Gap:
    """Keep one output. Raises as `store_all`."""
    services, begun = work.services, work.begun
    try:
        kept = await _keep(work, piece.content)
    except ContentTooLarge as error:
        return Gap(piece.index, too_large(error, paid(work)).message)
    except StorageLost as error:
        return Gap(piece.index, f"What was made cannot be kept. {error}")
    asset = Asset(
        id=services.new_id(),
        content=kept,
        created_at=work.moment(),
        environment=services.environment.name,
        task_id=begun.task.id,
        owner=begun.task.owner,
    )
    return Stored(piece, asset)


async def _keep(work: Work, content: Whole) -> Content:
    services = work.services
    limit, task_id = services.output_limit_bytes, work.begun.task.id

    async def expect(key: str, size: int) -> str:
        return await services.retention.expect(key, size, task_id)

    is_last_chance = work.shape is Shape.IMMEDIATE
    keep = work.whatever_comes if is_last_chance else work.until_released
    return await keep(
        "an output of task %s",
        WaitsFor.STORAGE,
        lambda: services.storage.keep(content, limit_bytes=limit, noting=expect),
    )


def paid(work: Work) -> Charged:
    """Whether money was taken for what was made: what is made here costs none."""
    return Charged.NO if work.shape is Shape.LOCAL else Charged.YES


def too_large(error: ContentTooLarge, charged: Charged) -> OutputUnavailable:
    """What is said of an output that is not kept because of its size."""
    return OutputUnavailable(
        f"What was made is larger than {error.limit_bytes:,} bytes, which is as much as one output may have here"
        " (worker.output_limit_bytes).",
        charged=charged,
    )


def _words_of(gaps: Sequence[Gap]) -> str:
    if len(gaps) == 1:
        return gaps[0].why
    each = " ".join(f"{gap.index}: {gap.warning.message}" for gap in gaps)
    return f"None of the {len(gaps)} outputs can be had. {each}"
