"""The document of a task that was just written, out of a template: most of what it says is the same each time."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import uuid4

from pydantic_core import to_json

from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.domain.task import Priority, Task, TaskStatus

_ID = uuid4()
"""Drawn, as all of the sample is: nobody can name a model like it."""
_LINKS = Links(f"slot:{_ID}", signed_events=lambda _: "slot")
_CREATED_AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=1 + _ID.int % 10**15)
_INPUT, _METADATA = {"input": str(_ID)}, {"metadata": str(_ID)}
_SLOTS = {
    to_json(_LINKS.events(_ID)): "events",
    to_json(_LINKS.task(_ID))[:-1]: "task",
    to_json(_ID): "id",
    to_json(_CREATED_AT): "created_at",
    to_json(_INPUT): "input",
    to_json(_METADATA): "metadata",
}
"""What stands in the sample where tasks differ. That of events begins as the task's does, and is found first."""
_ANY_SLOT = re.compile(b"(" + b"|".join(map(re.escape, _SLOTS)) + b")")


def new_task_json(task: Task, links: Links) -> bytes:
    """What `TaskDocument.of` says of a task as `NewTask.queued` gives it, as JSON."""
    if (
        task.route
        or task.run_at
        or task.depends_on
        or task.batch_id
        or task.next_try_at
        or task.retain_s is not None
    ):
        return TaskDocument.of(task, links).model_dump_json().encode()
    task_id = str(task.id)
    values = {
        "id": to_json(task_id),
        "task": to_json(links.task(task_id))[:-1],
        "events": to_json(links.events(task_id)),
        "created_at": to_json(task.created_at.astimezone(UTC)),
        "input": to_json(task.input),
        "metadata": to_json(task.metadata),
    }
    template = _template(task.kind, task.provider, task.model, task.environment, task.priority)
    return b"".join([values[part] if isinstance(part, str) else part for part in template])


@lru_cache(maxsize=1024)
def _template(
    kind: str, provider: str, model: str, environment: str, priority: Priority
) -> tuple[bytes | str, ...]:
    """What is always the same, and between that the names of what is not."""
    sample = Task(
        id=_ID,
        environment=environment,
        kind=kind,
        provider=provider,
        model=model,
        status=TaskStatus.QUEUED,
        input=_INPUT,
        created_at=_CREATED_AT,
        priority=priority,
        metadata=_METADATA,
    )
    parts = _ANY_SLOT.split(TaskDocument.of(sample, _LINKS).model_dump_json().encode())
    return tuple(_SLOTS.get(part, part) for part in parts)
