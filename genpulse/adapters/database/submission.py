"""Writing new tasks with their queue entries, many in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from genpulse.adapters.database import statements
from genpulse.adapters.database.rows import task_of
from genpulse.adapters.postgresql import outages
from genpulse.domain.errors import BadInput, IdempotencyKeyReuse
from genpulse.domain.task import NewTask, Submitted, Task, TaskStatus

Answer = Submitted | Exception
_Place = UUID | tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Written:
    """A task that stands in the database, and the new task that was written as it, None where it was known."""

    task: Task
    fingerprint: str
    by: UUID | None


class Submission:
    """Writes batches of new tasks, each batch in one statement."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def write(self, tasks: Sequence[NewTask], *, all_or_none: bool = False) -> Sequence[Answer]:
        """One commit; an answer or a refusal for each task, in order.

        With `all_or_none` the first refusal is raised and nothing is written. Raises `BadInput` when
        PostgreSQL cannot hold one of them, `DatabaseUnavailable`.
        """
        firsts = _firsts(tasks)
        try:
            with outages():
                async with self._pool.acquire() as connection:
                    if not all_or_none:
                        return _answers(tasks, await _write(connection, firsts))
                    async with connection.transaction():
                        answers = _answers(tasks, await _write(connection, firsts))
                        if refusal := next((one for one in answers if isinstance(one, Exception)), None):
                            raise refusal
                        return answers
        except asyncpg.DataError as error:
            raise BadInput(f"The task holds something that cannot be stored: {error}.") from error

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task under the same key. Raises `IdempotencyKeyReuse`, `DatabaseUnavailable`."""
        if task.idempotency_key is None:
            return None
        with outages():
            row = await self._pool.fetchrow(statements.BY_KEY, task.owner, task.idempotency_key)
        return _replay(task, row["fingerprint"], task_of(row)) if row is not None else None


def _firsts(tasks: Sequence[NewTask]) -> Sequence[NewTask]:
    """One task for each key, in the order of keys, so that two processes with the same ones never deadlock."""
    firsts: dict[tuple[str, str], NewTask] = {}
    keyless = [task for task in tasks if task.idempotency_key is None]
    for task in tasks:
        if task.idempotency_key is not None:
            firsts.setdefault((task.owner, task.idempotency_key), task)
    return [*keyless, *(firsts[key] for key in sorted(firsts))]


async def _write(connection: asyncpg.Connection, firsts: Sequence[NewTask]) -> dict[_Place, _Written]:
    """What stands under each place now: the id of the new task, or its key where it has one."""
    rows = await connection.fetch(statements.SUBMIT, *_columns(firsts))
    by_id = {task.id: task for task in firsts}
    written: dict[_Place, _Written] = {}
    for row in rows:
        if row["known"]:
            task = task_of({name: row[f"known_{name}"] for name in statements.NAMES})
            written[row["known_owner"], row["known_idempotency_key"]] = _Written(task, row["fingerprint"], None)
        else:
            new = by_id[row["id"]]
            queued = _queued(new, row["created_at"], row["deadline_at"])
            written[_place(new)] = _Written(queued, new.fingerprint, new.id)
    return written


def _place(task: NewTask) -> _Place:
    return task.id if task.idempotency_key is None else (task.owner, task.idempotency_key)


def _answers(tasks: Sequence[NewTask], written: dict[_Place, _Written]) -> Sequence[Answer]:
    return [_answer(task, written[_place(task)]) for task in tasks]


def _answer(task: NewTask, written: _Written) -> Answer:
    if written.by == task.id:
        return Submitted(written.task)
    try:
        return _replay(task, written.fingerprint, written.task)
    except IdempotencyKeyReuse as error:
        return error


def _replay(task: NewTask, fingerprint: str, earlier: Task) -> Submitted:
    if fingerprint != task.fingerprint:
        raise IdempotencyKeyReuse(task.idempotency_key or "")
    return Submitted(earlier, replayed=True)


def _columns(tasks: Sequence[NewTask]) -> tuple[Sequence[object], ...]:
    return (
        [task.id for task in tasks],
        [task.environment for task in tasks],
        [task.owner for task in tasks],
        [task.kind for task in tasks],
        [task.provider for task in tasks],
        [task.model for task in tasks],
        [int(task.priority) for task in tasks],
        [to_json(task.input).decode() for task in tasks],
        [to_json(task.metadata).decode() for task in tasks],
        [task.webhook_url for task in tasks],
        [task.deadline_s for task in tasks],
        [task.idempotency_key for task in tasks],
        [task.fingerprint for task in tasks],
        [task.price_usd for task in tasks],
    )


def _queued(new: NewTask, created_at: datetime, deadline_at: datetime | None) -> Task:
    """What the row says right after it was written."""
    return Task(
        id=new.id,
        environment=new.environment,
        kind=new.kind,
        provider=new.provider,
        model=new.model,
        status=TaskStatus.QUEUED,
        input=new.input,
        created_at=created_at,
        priority=new.priority,
        metadata=new.metadata,
        webhook_url=new.webhook_url,
        deadline_at=deadline_at,
        price_usd=new.price_usd,
        owner=new.owner,
    )
