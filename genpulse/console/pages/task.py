"""One task: what was asked for, what was tried, what came out, what it cost, and who was told."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from genpulse.api.schemas.tasks.documents import WaitingDocument
from genpulse.console import rendering
from genpulse.console.forms.posted_form import PageForm
from genpulse.console.live import Fragments
from genpulse.console.viewer import Viewer
from genpulse.console.views.examples import examples_for
from genpulse.console.views.outputs import ShownOutput, shown_outputs
from genpulse.console.views.timeline import Timeline, timeline_of
from genpulse.console.visit import Visit
from genpulse.domain.attempt import Attempt
from genpulse.domain.money.ledger import Balance, LedgerEntry
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Delivery
from genpulse.lifecycle import cancel as cancelling
from genpulse.lifecycle import retry as retrying
from genpulse.ports import Services

KIND = "task"
EVERY_S = 1.0
_RESULT_LENGTH = 20_000
"""Characters of a result that are shown."""


@dataclass(frozen=True, slots=True)
class ViewedTask:
    """A task with all that is kept about it."""

    task: Task
    attempts: Sequence[Attempt]
    timeline: Timeline
    outputs: Sequence[ShownOutput]
    result: str
    ledger: Sequence[LedgerEntry]
    balance: Balance
    deliveries: Sequence[Delivery]
    waiting: WaitingDocument | None
    key_name: str
    shows_content: bool
    sees_addresses: bool
    """Whether the addresses of messages are shown whole: receivers like to be told secrets in them."""

    @property
    def can_cancel(self) -> bool:
        """Whether anything is left to stop."""
        return not self.task.status.ended


async def show(visit: Visit) -> Response:
    """The page. Raises `UnknownTask`, `DatabaseUnavailable`."""
    task = await visit.task()
    viewed = await _view(visit.services, visit.viewer, task)
    return visit.page(
        "task.html",
        f"Task {str(task.id)[:8]}…",
        live="" if task.status.ended and not _is_told(viewed) else f"/live/task/{task.id}",
        view=viewed,
        parts=_fragments(visit.viewer, viewed),
        examples=examples_for(visit.public_base, task) if viewed.shows_content else None,
    )


def _is_told(viewed: ViewedTask) -> bool:
    """Whether messages about it are still to be sent."""
    return any(delivery.next_try_at is not None for delivery in viewed.deliveries)


async def fragments(services: Services, viewer: Viewer, task_id: UUID) -> Fragments:
    """What of the page changes. Raises `UnknownTask`, `DatabaseUnavailable`."""
    return _fragments(viewer, await _view(services, viewer, await services.store.get(task_id)))


def _fragments(viewer: Viewer, viewed: ViewedTask) -> Fragments:
    return {
        name: rendering.render(f"task/{name}.html", view=viewed, task=viewed.task, viewer=viewer)
        for name in ("state", "actions", "outputs", "attempts", "money", "deliveries")
    }


async def _view(services: Services, viewer: Viewer, task: Task) -> ViewedTask:
    attempts, ledger, deliveries, now = await asyncio.gather(
        services.store.attempts(task.id),
        services.store.ledger(task.id),
        services.deliveries.of_task(task.id),
        services.store.now(),
    )
    shows_content = viewer.shows_content(task)
    return ViewedTask(
        task=task,
        attempts=attempts,
        timeline=timeline_of(task, attempts, now),
        outputs=await shown_outputs(services.storage, viewer.links, task) if shows_content else (),
        result=_result(viewer, task) if shows_content else "",
        ledger=ledger,
        balance=Balance.of(ledger),
        deliveries=deliveries,
        waiting=WaitingDocument.of(task),
        key_name=await _key_name(services, viewer, task),
        shows_content=shows_content,
        sees_addresses=viewer.is_admin or task.owner == viewer.caller.owner,
    )


def _result(viewer: Viewer, task: Task) -> str:
    """What the provider answered, as JSON over several lines; of a very long one the beginning."""
    if task.result is None:
        return ""
    text = task.result.text_with_urls(viewer.links.content)
    if len(text) > _RESULT_LENGTH:
        return f"{text[:_RESULT_LENGTH]}…"
    return rendering.pretty(json.loads(text))


async def _key_name(services: Services, viewer: Viewer, task: Task) -> str:
    if not viewer.sees_all or not task.owner:
        return ""
    return next((key.name for key in await services.keys.all() if str(key.id) == task.owner), task.owner)


async def cancel(visit: Visit, _form: PageForm) -> Response:
    """Ask that it stops."""
    task = await visit.task()
    await cancelling.cancel(visit.services, task.id)
    return visit.redirect(f"/tasks/{task.id}?said=canceled")


async def retry(visit: Visit, form: PageForm) -> Response:
    """Queue it again."""
    task = await visit.task()
    await retrying.retry(
        visit.services, task.id, caller=visit.viewer.caller, even_if_charged=form.has("even_if_charged")
    )
    return visit.redirect(f"/tasks/{task.id}?said=retried")


async def send_again(visit: Visit, _form: PageForm) -> Response:
    """Send one of its messages once more."""
    task = await visit.task()
    delivery_id: UUID = visit.request.path_params["delivery_id"]
    await visit.services.deliveries.again(task.id, delivery_id)
    return visit.redirect(f"/tasks/{task.id}?said=sent#deliveries")
