"""Ending attempts, many in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from genpulse.adapters.database import statements
from genpulse.adapters.database.queue_entries import QueueEntries
from genpulse.adapters.database.rows import cost_document, failure_document, outputs_document, task_of
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
from genpulse.domain.task import Task, TaskStatus


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended, and when."""

    lease: Lease
    outcome: Outcome
    now: datetime


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

    async def write(self, ends: Sequence[End]) -> Sequence[Task | Exception]:
        """One commit; the task, or `LeaseLost`, for each. Raises `DatabaseUnavailable`."""
        changes = [_change(end.outcome) for end in ends]
        with outages():
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(statements.FINISH, *_task_columns(ends, changes))
                tasks = {task.id: task for task in map(task_of, rows)}
                held = [
                    (end, change) for end, change in zip(ends, changes, strict=True) if end.lease.task_id in tasks
                ]
                await connection.execute(statements.FINISH_ATTEMPTS, *_attempt_columns(held))
                await add_assets(connection, [asset for _, change in held for asset in change.outputs])
                await self._settle(connection, [end for end, _ in held])
        return [tasks.get(end.lease.task_id) or LeaseLost("the task has another lease") for end in ends]

    async def _settle(self, connection: asyncpg.Connection, ends: Sequence[End]) -> None:
        settled: list[int] = []
        for end in ends:
            match end.outcome:
                case RetryLater(_, delay_s):
                    await self._entries.postpone(connection, end.lease.ticket, delay_s)
                case Released():
                    await self._entries.release(connection, end.lease.ticket)
                case _:
                    settled.append(end.lease.ticket)
        await self._entries.settle(connection, settled)


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


def _task_columns(ends: Sequence[End], changes: Sequence[_Change]) -> tuple[Sequence[object], ...]:
    return (
        [end.lease.task_id for end in ends],
        [end.lease.attempt_id for end in ends],
        [change.task.value for change in changes],
        [change.progress for change in changes],
        [to_json(outputs_document(change.outputs)).decode() for change in changes],
        [_json(change.task_error) for change in changes],
        [_json(change.cost) for change in changes],
        [end.now if change.task.ended else None for end, change in zip(ends, changes, strict=True)],
    )


def _attempt_columns(held: Sequence[tuple[End, _Change]]) -> tuple[Sequence[object], ...]:
    return (
        [end.lease.attempt_id for end, _ in held],
        [change.attempt.value for _, change in held],
        [end.now for end, _ in held],
        [_json(change.attempt_error) for _, change in held],
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
