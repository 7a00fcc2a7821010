"""Ending attempts, many in one commit."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from genpulse.adapters.database.statements.columns import ATTEMPT_TIMES
from genpulse.adapters.database.statements.ends import (
    FINISH,
    FINISH_PRICED,
    FINISH_PRICED_WITH_RESULTS,
    FINISH_WITH_RESULTS,
)
from genpulse.adapters.database.tasks.route_document import move_text
from genpulse.adapters.database.tasks.rows import (
    Row,
    cost_document,
    failure_document,
    outputs_document,
    warnings_document,
)
from genpulse.adapters.postgresql.connections import outages
from genpulse.adapters.postgresql.parameters import null_if_empty
from genpulse.domain.assets.asset import Asset
from genpulse.domain.attempt import (
    AttemptStatus,
    Canceled,
    End,
    Failed,
    MovedOn,
    Released,
    RetryLater,
    Succeeded,
)
from genpulse.domain.errors import BytesErased, LeaseLost
from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import TaskStatus, WaitsFor
from genpulse.domain.value import value

PART_LENGTH = 4 << 20
"""So many characters of results are written by one statement."""


@value
class _EndColumns:
    """What the end of one attempt writes into the columns of its task and its attempt."""

    task: TaskStatus
    attempt: AttemptStatus
    progress: float | None = None
    outputs: tuple[Asset, ...] = ()
    task_error: JsonObject | None = None
    attempt_error: JsonObject | None = None
    cost: JsonObject | None = None
    cost_usd: Decimal | None = None
    warnings: Sequence[JsonObject] | None = None
    counts: bool = False
    delay_s: float = 0.0
    waiting_for: WaitsFor | None = None
    move: str | None = None
    result: str | None = None


class EndWriter:
    """Ends batches of attempts, each batch in one statement.

    Providers in `seated` have seats just then: whoever waits for one is told. An end whose answer was lost is not
    written twice when it comes again.
    """

    def __init__(self, pool: asyncpg.Pool, seated: Collection[str]) -> None:
        self._pool = pool
        self._seated = seated
        self._unsure: set[UUID] = set()

    async def write(self, ends: Sequence[End]) -> Sequence[int | Exception]:
        """The number of the task's last event, or an error, for each. Raises `DatabaseUnavailable`.

        That is `LeaseLost`, or `BytesErased` where an output has to be stored again first.
        """
        answers: list[int | Exception] = []
        for part in _parts(ends):
            answers += await self._write(part)
        return answers

    async def _write(self, ends: Sequence[End]) -> Sequence[int | Exception]:
        leases = [end.lease.attempt_id for end in ends]
        ends = sorted(ends, key=lambda end: end.lease.task_id)
        changes = [_end_columns(end) for end in ends]
        again = not self._unsure.isdisjoint(leases)
        self._unsure.update(leases)
        costs_usd = [change.cost_usd for change in changes]
        warnings, moves = [_json(change.warnings) for change in changes], [change.move for change in changes]
        more: tuple[Sequence[object], ...] = (
            costs_usd,
            warnings,
            [end.stop_later for end in ends],
            moves,
            *_times(ends),
        )
        columns = (
            *map(null_if_empty, _columns(ends, changes)),
            *_assets(ends, changes),
            list(self._seated),
            again,
            *map(null_if_empty, more),
        )
        may_settle = any(end.is_priced or change.cost for end, change in zip(ends, changes, strict=True))
        statement, results = _statement(changes, may_settle=may_settle)
        with outages():
            rows = await self._pool.fetch(statement, *columns, *results)
        self._unsure.difference_update(leases)
        return _answers(leases, rows)


def _parts(ends: Sequence[End]) -> Iterator[Sequence[End]]:
    """The ends in as few parts as there may be: results are large, and a statement has to be done in time."""
    part: list[End] = []
    length = 0
    for end in ends:
        result = end.outcome.result if isinstance(end.outcome, Succeeded) else None
        if result is not None:
            length += len(result.text)
            if part and length > PART_LENGTH:
                yield part
                part, length = [], len(result.text)
        part.append(end)
    yield part


def _statement(changes: Sequence[_EndColumns], *, may_settle: bool) -> tuple[str, Sequence[object]]:
    """The statement that does no more than these ends need, and the column that it takes besides, if any."""
    results = [change.result for change in changes]
    if not any(results):
        return FINISH_PRICED if may_settle else FINISH, ()
    return FINISH_PRICED_WITH_RESULTS if may_settle else FINISH_WITH_RESULTS, (results,)


def _answers(leases: Sequence[UUID], rows: Sequence[Row]) -> Sequence[int | Exception]:
    numbers = {row["lease"]: row["seq"] for row in rows if row["seq"] is not None}
    erased = {row["lease"] for row in rows if row["seq"] is None}
    return [numbers.get(lease) or _refusal(is_erased=lease in erased) for lease in leases]


def _refusal(*, is_erased: bool) -> Exception:
    return BytesErased("the bytes of an output are gone") if is_erased else LeaseLost("the task has another lease")


def _end_columns(end: End) -> _EndColumns:
    match end.outcome:
        case Succeeded(outputs, cost, warnings, result):
            return _EndColumns(
                TaskStatus.SUCCEEDED,
                AttemptStatus.SUCCEEDED,
                1.0,
                outputs,
                cost=cost_document(cost),
                cost_usd=cost.counts_usd if cost else None,
                warnings=warnings_document(warnings),
                result=result.text if result else None,
            )
        case Failed(failure):
            error = failure_document(failure)
            return _EndColumns(TaskStatus.FAILED, AttemptStatus.FAILED, task_error=error, attempt_error=error)
        case RetryLater(failure, delay_s, counts):
            return _EndColumns(
                TaskStatus.QUEUED,
                AttemptStatus.FAILED,
                attempt_error=failure_document(failure),
                counts=counts,
                delay_s=delay_s,
                waiting_for=WaitsFor.NEXT_ATTEMPT,
            )
        case MovedOn(failure, left_model, route):
            return _EndColumns(
                TaskStatus.QUEUED,
                AttemptStatus.FAILED,
                attempt_error=failure_document(failure),
                waiting_for=WaitsFor.WORKER,
                move=move_text(left_model, route),
            )
        case Canceled(failure):
            error = failure_document(failure)
            return _EndColumns(TaskStatus.CANCELED, AttemptStatus.CANCELED, task_error=error, attempt_error=error)
        case Released():
            return _EndColumns(TaskStatus.QUEUED, AttemptStatus.RELEASED, waiting_for=WaitsFor.WORKER)


def _columns(ends: Sequence[End], changes: Sequence[_EndColumns]) -> tuple[Sequence[object], ...]:
    """The first ones: the ids of tasks are never empty."""
    return (
        [end.lease.task_id for end in ends],
        [end.lease.attempt_id for end in ends],
        [change.task.value for change in changes],
        [change.progress for change in changes],
        [to_json(outputs_document(change.outputs)).decode() for change in changes],
        [_json(change.task_error) for change in changes],
        [_json(change.cost) for change in changes],
        [change.attempt.value for change in changes],
        [_json(change.attempt_error) for change in changes],
        [change.counts for change in changes],
        [end.order_open for end in ends],
        [end.ordered_at for end in ends],
        [end.job_id for end in ends],
        [change.delay_s for change in changes],
        [change.waiting_for and change.waiting_for.value for change in changes],
    )


def _times(ends: Sequence[End]) -> tuple[Sequence[object], ...]:
    return tuple([getattr(end.times, name, None) for end in ends] for name in ATTEMPT_TIMES)


def _json(document: JsonObject | Sequence[JsonObject] | None) -> str | None:
    return None if document is None else to_json(document).decode()


def _assets(ends: Sequence[End], changes: Sequence[_EndColumns]) -> tuple[Sequence[object], ...]:
    pairs = [(asset, end) for end, change in zip(ends, changes, strict=True) for asset in change.outputs]
    assets = [asset for asset, _ in pairs]
    return (*asset_columns(assets), [end.lease.attempt_id for _, end in pairs])


def asset_columns(assets: Sequence[Asset]) -> tuple[Sequence[object], ...]:
    """What is kept of assets, as columns."""
    contents = [asset.content for asset in assets]
    tasks: list[UUID | None] = [asset.task_id for asset in assets]
    return (
        [asset.id for asset in assets],
        tasks,
        [asset.owner for asset in assets],
        [asset.environment for asset in assets],
        [content.key for content in contents],
        [content.sha256 for content in contents],
        [content.size for content in contents],
        [content.media_type for content in contents],
        [content.width for content in contents],
        [content.height for content in contents],
        [content.duration_s for content in contents],
        [asset.created_at for asset in assets],
    )
