"""Which messages about a task are wanted, as it is kept on the task's row, where a trigger reads it."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent


def choice_text(choice: WebhookChoice) -> str:
    """As JSON."""
    return to_json({"form": choice.form, "events": sorted(choice.events)}).decode()


def choice_of(document: Mapping[str, Any] | None) -> WebhookChoice | None:
    """The reverse of `choice_text`."""
    if document is None:
        return None
    return WebhookChoice(document["form"], frozenset(WebhookEvent(event) for event in document["events"]))
