"""The port of the traces that are kept with tasks."""

from typing import Protocol
from uuid import UUID

from genpulse.domain.trace_context import TaskTrace


class TraceStore(Protocol):
    """Which spans tasks were submitted in. Each is written in the commit of its task, by the store of tasks."""

    async def of(self, task_id: UUID) -> TaskTrace | None:
        """The trace of a task, None where it has none. Raises `DatabaseUnavailable`."""
