"""Ending attempts, many in one commit."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from genpulse.adapters.database import statements
from genpulse.adapters.database.queue_entries import QueueEntries
from genpulse.adapters.database.rows import cost_document, failure_document, outputs_document
from genpulse.adapters.postgresql import outages
from genpulse.domain.asset import Asset
from genpulse.domain.attempt import (
    AttemptStatus,
    Canceled,
    Failed,
    Lease,
    Outcome,
    Released,
    RetryLater,
    Succeeded,
)
from genpulse.domain.errors import LeaseLost
from genpulse.domain.json_value import JsonObject
from genpulse.domain.task import TaskStatus


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended, and when."""

    lease: Lease
    outcome: Outcome
    now: datetime

    @property
    def stays(self) -> bool:
        """Whether the queue entry is needed again."""
        return isinstance(self.outcome, RetryLater | Released)


@dataclass(frozen=True, slots=True)
class _Change:
    """The same as the columns that change."""

    task: TaskStatus
    attempt: AttemptStatus
    progress: float | None = None
    outputs: tuple[Asset, ...] = ()
    task_error: JsonObject | None = None
    attempt_error: JsonObject | None = None
    cost: JsonObject | None = None


class Ending:
    """Ends batches of attempts."""

    def __init__(self, pool: asyncpg.Pool, entries: QueueEntries) -> None:
        self._pool = pool
        self._entries = entries
        self._statement = statements.finish(entries.settling)

    async def write(self, ends: Sequence[End]) -> Sequence[int | Exception]:
        """One commit; the number of the task's last event, or `LeaseLost`, for each.

        Raises `DatabaseUnavailable`.
        """
        changes = [_change(end.outcome) for end in ends]
        is_whole = not any(change.outputs or end.stays for end, change in zip(ends, changes, strict=True))
        with outages():
            async with self._pool.acquire() as connection:
                if is_whole:
                    # One statement is a transaction of its own.
                    numbers = await self._write(connection, ends, changes)
                else:
                    async with connection.transaction():
                        numbers = await self._write(connection, ends, changes)
                        await self._write_rest(connection, ends, changes, numbers)
        return [_answer(numbers.get(end.lease.attempt_id)) for end in ends]

    async def _write(
        self, connection: asyncpg.Connection, ends: Sequence[End], changes: Sequence[_Change]
    ) -> dict[UUID, int]:
        rows = await connection.fetch(self._statement, *_columns(ends, changes))
        return {row["lease"]: row["seq"] for row in rows}

    async def _write_rest(
        self,
        connection: asyncpg.Connection,
        ends: Sequence[End],
        changes: Sequence[_Change],
        held: Container[UUID],
    ) -> None:
        """Assets, and queue entries that stay."""
        assets: list[Asset] = []
        for end, change in zip(ends, changes, strict=True):
            if end.lease.attempt_id not in held:
                continue
            assets += change.outputs
            match end.outcome:
                case RetryLater(_, delay_s):
                    await self._entries.postpone(connection, end.lease.ticket, delay_s)
                case Released():
                    await self._entries.release(connection, end.lease.ticket)
                case _:
                    pass
        await add_assets(connection, assets)


def _answer(number: int | None) -> int | LeaseLost:
    return LeaseLost("the task has another lease") if number is None else number


def _change(outcome: Outcome) -> _Change:
    match outcome:
        case Succeeded(outputs, cost):
            return _Change(TaskStatus.SUCCEEDED, AttemptStatus.SUCCEEDED, 1.0, outputs, cost=cost_document(cost))
        case Failed(failure):
            error = failure_document(failure)
            return _Change(TaskStatus.FAILED, AttemptStatus.FAILED, task_error=error, attempt_error=error)
        case RetryLater(failure):
            error = failure_document(failure)
            return _Change(TaskStatus.QUEUED, AttemptStatus.FAILED, attempt_error=error)
        case Canceled():
            return _Change(TaskStatus.CANCELED, AttemptStatus.CANCELED)
        case Released():
            return _Change(TaskStatus.QUEUED, AttemptStatus.RELEASED)


def _columns(ends: Sequence[End], changes: Sequence[_Change]) -> tuple[Sequence[object], ...]:
    return (
        [end.lease.task_id for end in ends],
        [end.lease.attempt_id for end in ends],
        [change.task.value for change in changes],
        [change.progress for change in changes],
        [to_json(outputs_document(change.outputs)).decode() for change in changes],
        [_json(change.task_error) for change in changes],
        [_json(change.cost) for change in changes],
        [end.now if change.task.ended else None for end, change in zip(ends, changes, strict=True)],
        [change.attempt.value for change in changes],
        [_json(change.attempt_error) for change in changes],
        [end.now for end in ends],
        [None if end.stays else end.lease.ticket for end in ends],
    )


def _json(document: JsonObject | None) -> str | None:
    return None if document is None else to_json(document).decode()


async def add_assets(connection: asyncpg.Connection, assets: Sequence[Asset]) -> None:
    """Keep the identities of assets whose bytes are stored."""
    if not assets:
        return
    contents = [asset.content for asset in assets]
    tasks: list[UUID | None] = [asset.task_id for asset in assets]
    await connection.execute(
        statements.ADD_ASSETS,
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
