"""The forms of webhook messages: our own, and what others have to do to be one."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol

from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Delivery

Describe = Callable[[Task], Awaitable[JsonObject]]
"""A task as the API shows it. Raises `DatabaseUnavailable`."""


class Signing(Enum):
    """How a message is signed."""

    STANDARD = "standard"
    """As Standard Webhooks describes it, by the secrets of the task's owner."""
    NONE = "none"
    """Not by us: its own headers are sent and no others."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """What is sent. `headers` are added to those of its signing, and may say another `Content-Type` than JSON."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    signing: Signing = Signing.STANDARD


class WebhookForm(Protocol):
    """The words in which messages are told."""

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:
        """About the task as it was then, made anew for each try; `now` is the moment that is signed.

        What it raises counts as a try and is shown with the delivery, but for `Unavailable`: then the message is
        made again soon.
        """


@dataclass(frozen=True, slots=True)
class OwnForm:
    """Our own: the type, when that was, and the task as our API shows it."""

    describe: Describe

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:  # noqa: ARG002 - a form's
        """A try is no part of the body: it stays the same."""
        document = await self.describe(task)
        message = {"type": delivery.type, "timestamp": _moment(delivery.created_at), "data": document}
        return WebhookMessage(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())


def _moment(at: datetime) -> str:
    """RFC 3339 in UTC, as every other time that callers see."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
