"""Writing new tasks with their queue entries, many in one commit."""

from collections.abc import Sequence

import asyncpg
from pydantic_core import to_json

from genpulse.adapters.database import statements
from genpulse.adapters.database.queue_entries import QueueEntries
from genpulse.adapters.database.rows import Row, task_of
from genpulse.adapters.postgresql import outages
from genpulse.domain.errors import BadInput, IdempotencyKeyReuse
from genpulse.domain.task import NewTask, Submitted, Task, TaskStatus

Answer = Submitted | Exception


class Submission:
    """Writes batches of new tasks."""

    def __init__(self, pool: asyncpg.Pool, entries: QueueEntries) -> None:
        self._pool = pool
        self._statement = statements.submit(entries.adding)

    async def write(self, tasks: Sequence[NewTask], *, all_or_none: bool = False) -> Sequence[Answer]:
        """One commit; an answer or a refusal for each task, in order.

        With `all_or_none` the first refusal is raised and nothing is written. Raises `BadInput` when
        PostgreSQL cannot hold one of them, `DatabaseUnavailable`.
        """
        try:
            with outages():
                async with self._pool.acquire() as connection:
                    if not all_or_none:
                        # One statement is a transaction of its own.
                        return await self._write(connection, tasks)
                    async with connection.transaction():
                        answers = await self._write(connection, tasks)
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
            async with self._pool.acquire() as connection:
                known = await self._known(connection, [task])
        return _replay(task, known) if known else None

    async def _write(self, connection: asyncpg.Connection, tasks: Sequence[NewTask]) -> Sequence[Answer]:
        # In the order of their keys, so that two processes with the same keys wait and never deadlock.
        in_order = sorted(tasks, key=lambda task: (task.owner, task.idempotency_key or "", task.id))
        written = await connection.fetch(self._statement, *_columns(in_order))
        ids = {row["id"] for row in written}
        known = await self._known(connection, [task for task in tasks if task.id not in ids])
        return [_answer(task, known) if task.id not in ids else Submitted(_queued(task)) for task in tasks]

    async def _known(self, connection: asyncpg.Connection, tasks: Sequence[NewTask]) -> dict[tuple[str, str], Row]:
        if not tasks:
            return {}
        owners = [task.owner for task in tasks]
        keys = [task.idempotency_key for task in tasks]
        rows = await connection.fetch(statements.BY_KEY, owners, keys)
        return {(row["owner"], row["idempotency_key"]): row for row in rows}


def _answer(task: NewTask, known: dict[tuple[str, str], Row]) -> Answer:
    try:
        return _replay(task, known)
    except IdempotencyKeyReuse as error:
        return error


def _replay(task: NewTask, known: dict[tuple[str, str], Row]) -> Submitted:
    key = task.idempotency_key or ""
    row = known[task.owner, key]
    if row["fingerprint"] != task.fingerprint:
        raise IdempotencyKeyReuse(key)
    return Submitted(task_of(row), replayed=True)


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
        [task.deadline_at for task in tasks],
        [task.idempotency_key for task in tasks],
        [task.fingerprint for task in tasks],
        [task.created_at for task in tasks],
        [task.price_usd for task in tasks],
    )


def _queued(new: NewTask) -> Task:
    """What the row says right after it was written."""
    return Task(
        id=new.id,
        environment=new.environment,
        kind=new.kind,
        provider=new.provider,
        model=new.model,
        status=TaskStatus.QUEUED,
        input=new.input,
        created_at=new.created_at,
        priority=new.priority,
        metadata=new.metadata,
        webhook_url=new.webhook_url,
        deadline_at=new.deadline_at,
        price_usd=new.price_usd,
        owner=new.owner,
    )
