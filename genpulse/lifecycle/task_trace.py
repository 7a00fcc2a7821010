"""The trace that is kept with a task."""

import logging
from uuid import UUID

from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.trace_context import TaskTrace
from genpulse.ports import Services

_log = logging.getLogger(__name__)


async def trace_of(services: Services, task_id: UUID) -> TaskTrace | None:
    """None where it has none, and where that cannot be read: no task waits for its trace."""
    if services.traces is None:
        return None
    try:
        return await services.traces.of(task_id)
    except DatabaseUnavailable as error:
        _log.info("task %s goes on without its trace: %s", task_id, error)
        return None
