"""Webhook messages as Replicate sends them: the prediction itself, signed as Standard Webhooks has it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpulse.api.schemas.links import Links
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.predictions.documents import PredictionView
from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Delivery
from genpulse.lifecycle.webhooks.forms import WebhookMessage
from genpulse.ports import Services

FORM = "replicate"
_EVENTS: Mapping[str, WebhookEvent] = {
    "start": WebhookEvent.START,
    "output": WebhookEvent.OUTPUT,
    "logs": WebhookEvent.PROGRESS,
    "completed": WebhookEvent.END,
}
_USUAL = ("output", "completed")
LinksAtHand = Callable[[], Awaitable[Links]]
"""The addresses that messages carry from now on. Raises `DatabaseUnavailable`."""


def choice_of(events: Sequence[str] | None, *, only_completed: bool) -> WebhookChoice:
    """Which messages are wanted: those of `webhook_events_filter`, else all outputs and the end."""
    words = ("completed",) if only_completed else events if events is not None else _USUAL
    return WebhookChoice(FORM, frozenset(_EVENTS[word] for word in words))


@dataclass(frozen=True, slots=True)
class ReplicateForm:
    """Implements `WebhookForm`."""

    services: Services
    names: ModelNames
    links: LinksAtHand

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:  # noqa: ARG002 - a form's
        """The prediction as it was then."""
        view = PredictionView(self.services, self.names, ReplicateLinks(await self.links()))
        return WebhookMessage(view.document(task).model_dump_json().encode())


def replicate_form(options: DialectOptions, services: Services, links: LinksAtHand) -> ReplicateForm:
    """The form of this door's messages."""
    return ReplicateForm(services, ModelNames(options.aliases, FORM), links)
