"""Options of a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task
from genpulse.lifecycle.removal.erase import SETTLED_S
from genpulse.lifecycle.webhooks.forms import Describe, WebhookForm


async def _no_document(task: Task) -> JsonObject:
    """Just who it is."""
    return {"id": str(task.id), "status": task.status.value}


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """At most `concurrency` tasks at once, claimed `batch` at a time.

    Work that is not renewed within `lease_s` seconds goes to another worker. When told to stop, work that is done
    here gets `grace_s` seconds before it goes back to the queue, and an order that was sent `stop_s` seconds until
    it is answered. `providers` limits what is claimed; None is all.
    Every `prune_every_s` seconds the worker looks for what is too old to be kept, every `erase_every_s` for
    what was deleted `erase_after_s` ago or longer. `describe` makes the document
    about a task that webhooks carry, `webhook_forms` the messages for orders that name another form than ours.
    A sign of life is written to `health_file`, where one is named; a step that asks PostgreSQL or Redis is stuck
    when it takes longer than `stuck_s` seconds.
    """

    concurrency: int = 1000
    batch: int = 200
    lease_s: float = 15.0
    grace_s: float = 10.0
    stop_s: float = 900.0
    providers: tuple[str, ...] | None = None
    look_again_s: float = 5.0
    prune_every_s: float = 3600.0
    erase_every_s: float = 5.0
    erase_after_s: float = SETTLED_S
    describe: Describe = _no_document
    webhook_forms: Mapping[str, WebhookForm] = field(default_factory=dict)
    health_file: Path | None = None
    stuck_s: float = 300.0
