"""Storing the outputs of an attempt as assets, and what the vendor answered beside them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.attempt import Succeeded
from genpulse.domain.errors import ContentTooLarge, StorageLost
from genpulse.domain.kind import makes_media
from genpulse.domain.money.settlement import settlement_of
from genpulse.domain.result.answer import Answer
from genpulse.domain.result.kept_answer import KeptAnswer, kept_shortened, kept_whole
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.interruption import WORKER_LEAVES
from genpulse.lifecycle.attempt.outputs.received import (
    MissingOutput,
    ReceivedOutput,
    ReceivedResult,
    Rereadable,
    check_not_all_missing,
    output_too_large,
)
from genpulse.lifecycle.attempt.outputs.validation import is_words_in_place_of_media, why_refused
from genpulse.lifecycle.content_twin import keep

STORED_AGAIN_S = 86_400.0
"""Outputs that waited so long for their fellows, in seconds, are stored once more before they become assets."""

MOST_WARNINGS = 100


@dataclass(frozen=True, slots=True)
class StoredOutput:
    """One output, and the asset that it becomes when the attempt ends."""

    output: ReceivedOutput
    asset: Asset


async def store_result(run: AttemptRun, result: ReceivedResult) -> Succeeded:
    """Store all outputs that are what was ordered, with a warning for each that is missing.

    Where a picture, a video or sound was ordered, an empty file or words in place of it are none; words that come
    beside one are kept. What is made here is taken as it is. Raises `OutputUnavailable` where nothing is left,
    and as `store_outputs`.
    """
    stored, missing = await store_outputs(run, result)
    if not run.is_local and makes_media(run.task.kind):
        stored, refused = _split_by_order(stored, run.task.kind)
        missing = (*missing, *refused)
    missing = tuple(sorted(missing, key=lambda output: output.index))
    check_not_all_missing(run, stored, missing)
    settlement = settlement_of(result.cost, run.task.model_price_usd)
    answer = await _kept_answer(result.answer, stored)
    own = (settlement.warning, answer and answer.warning)
    told = (*result.warnings, *(output.warning for output in missing))
    warnings = (*(one for one in own if one), *told)[:MOST_WARNINGS]
    assets = tuple(one.asset for one in stored)
    return Succeeded(assets, settlement.cost, warnings, answer.result if answer else None)


async def _kept_answer(answer: Answer, stored: Sequence[StoredOutput]) -> KeptAnswer | None:
    """What is kept of the answer. One that is too large is shortened in a thread, which may take a while."""
    if answer is None:
        return None
    asset_ids = {one.output.index: one.asset.id for one in stored}
    return kept_whole(answer, asset_ids) or await asyncio.to_thread(kept_shortened, answer, asset_ids)


async def store_outputs(
    run: AttemptRun, result: ReceivedResult, *, clock: Callable[[], float] = time.monotonic
) -> tuple[tuple[StoredOutput, ...], tuple[MissingOutput, ...]]:
    """Keep all outputs, however long the storage is away, so that they can become assets at once.

    What is too large, or is a file that cannot be read, is missing. Bytes that are no asset's are removed a week
    and more after they were stored: what has waited for a day by `clock`, in seconds, is stored again. Raises
    `Stopped` where another worker can get the same outputs again.
    """
    while True:
        began_at = clock()
        answers = [await _store_output(run, output) for output in result.outputs]
        if clock() - began_at < STORED_AGAIN_S:
            break
    missing = (*result.missing, *(one for one in answers if isinstance(one, MissingOutput)))
    return tuple(one for one in answers if isinstance(one, StoredOutput)), missing


async def _store_output(run: AttemptRun, output: ReceivedOutput) -> StoredOutput | MissingOutput:
    try:
        content = await _keep(run, output.content)
    except ContentTooLarge as error:
        return MissingOutput(output.index, output_too_large(run, error).message)
    except StorageLost as error:
        return MissingOutput(output.index, f"What was made cannot be kept. {error}")
    asset = Asset(
        id=run.services.new_id(),
        content=content,
        created_at=run.now(),
        environment=run.services.environment.name,
        task_id=run.task.id,
        owner=run.task.owner,
    )
    return StoredOutput(output, asset)


async def _keep(run: AttemptRun, content: Rereadable) -> Content:
    """Keep the bytes. Nothing ends the tries for an answer that nobody can ask for again."""
    services = run.services
    return await run.until_available(
        "an output of task %s",
        WaitsFor.STORAGE,
        lambda: keep(services, content, run.expect, limit_bytes=services.output_limit_bytes),
        stops=() if run.is_immediate else WORKER_LEAVES,
    )


def _split_by_order(
    stored: Sequence[StoredOutput], kind: str
) -> tuple[tuple[StoredOutput, ...], tuple[MissingOutput, ...]]:
    """The outputs that are what was ordered, and the others as missing ones."""
    media = [one for one in stored if not is_words_in_place_of_media(one.output.content, one.asset.content)]
    fitting = [one for one in stored if one in media or (media and one.output.is_text)]
    refused = [
        MissingOutput(one.output.index, why_refused(one.output.content, one.asset.content, kind))
        for one in stored
        if one not in fitting
    ]
    return tuple(fitting), tuple(refused)
