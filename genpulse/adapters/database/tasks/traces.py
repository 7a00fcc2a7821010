"""The `TraceStore` port on PostgreSQL: a row for each task that is traced, written with it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.tasks.rows import uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.task import NewTask
from genpulse.domain.trace_context import TaskTrace, parse_trace_context

_OF = """
SELECT task_id, traceparent, tracestate,
       (SELECT max(finished_at) FROM attempts WHERE attempts.task_id = task_traces.task_id) AS last_ended_at
FROM task_traces WHERE task_id = ANY($1::uuid[])
"""


class PostgresTraces:
    """Implements `TraceStore`. Calls that come together are read together."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._read: Coalescer[UUID, TaskTrace | None] = Coalescer(self._traces)

    async def of(self, task_id: UUID) -> TaskTrace | None:
        """The trace of a task, None where it has none."""
        return await self._read(task_id)

    async def _traces(self, task_ids: Sequence[UUID]) -> Sequence[TaskTrace | None]:
        with outages():
            rows = await self._pool.fetch(_OF, list(set(task_ids)))
        traces: Mapping[UUID, TaskTrace] = {
            uuid_of(row["task_id"]): TaskTrace(context, row["last_ended_at"])
            for row in rows
            if (context := parse_trace_context([row["traceparent"]], [row["tracestate"]])) is not None
        }
        return [traces.get(task_id) for task_id in task_ids]

    async def close(self) -> None:
        """Wait for what is being read."""
        await self._read.close()


def trace_columns(tasks: Sequence[NewTask]) -> tuple[Sequence[object], ...]:
    """Of those that are traced: ids, `traceparent` and `tracestate`."""
    traced = [(task.id, task.trace) for task in tasks if task.trace is not None]
    return (
        [task_id for task_id, _ in traced],
        [trace.parent for _, trace in traced],
        [trace.state for _, trace in traced],
    )
