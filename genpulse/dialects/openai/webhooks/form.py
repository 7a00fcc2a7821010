"""Webhook messages as OpenAI sends them: an event that names the video, signed as Standard Webhooks has it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic_core import to_json

from genpulse.dialects.openai.videos.ids import video_id
from genpulse.domain.submission.webhook_choice import WebhookChoice
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.webhook_delivery import Delivery
from genpulse.lifecycle.webhooks.forms import WebhookMessage

FORM = "openai"
CHOICE = WebhookChoice(FORM)
"""There are events of the end alone."""


@dataclass(frozen=True, slots=True)
class OpenAIForm:
    """Implements `WebhookForm`. What was canceled has failed, as this dialect knows it."""

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:  # noqa: ARG002 - a form's
        """The event, which stays the same over all tries."""
        end = "completed" if task.status is TaskStatus.SUCCEEDED else "failed"
        event = {
            "id": f"evt_{delivery.id.hex}",
            "object": "event",
            "created_at": int(delivery.created_at.timestamp()),
            "type": f"video.{end}",
            "data": {"id": video_id(task.id)},
        }
        return WebhookMessage(to_json(event))
