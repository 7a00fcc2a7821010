"""Webhook messages as fal sends them: the output or the failure, signed by Ed25519."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from genpulse.api.schemas.links import Links
from genpulse.dialects.fal.output_document import output_document
from genpulse.dialects.fal.refusals import failed_request
from genpulse.domain.json.value import JsonValue
from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.webhook_delivery import Delivery
from genpulse.lifecycle.webhooks.forms import Signing, WebhookMessage
from genpulse.lifecycle.webhooks.message_keys import MessageSigner
from genpulse.ports import Services

FORM = "fal"
CHOICE = WebhookChoice(FORM, frozenset({WebhookEvent.END}))
NOBODY = "nobody"
"""The user of a task without an owner."""
LinksAtHand = Callable[[], Awaitable[Links]]
"""The addresses that messages carry from now on. Raises `DatabaseUnavailable`."""


@dataclass(frozen=True, slots=True)
class FalForm:
    """Implements `WebhookForm`."""

    signer: MessageSigner
    links: LinksAtHand

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:  # noqa: ARG002 - a form's
        """The end of a request. Receivers check its signature by the keys of `/fal/.well-known/jwks.json`."""
        request_id, user = str(task.id), task.owner or NOBODY
        body = json.dumps(_document(task, await self.links()), ensure_ascii=False).encode()
        moment = str(int(now.timestamp()))
        signed = "\n".join((request_id, user, moment, hashlib.sha256(body).hexdigest()))
        signature = await self.signer.sign(signed.encode())
        headers = {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": user,
            "X-Fal-Webhook-Timestamp": moment,
            "X-Fal-Webhook-Signature": signature.signature.hex(),
        }
        return WebhookMessage(body, headers, Signing.NONE)


def fal_form(services: Services, links: LinksAtHand) -> FalForm:
    """The form of this door's messages."""
    return FalForm(MessageSigner(services.keys), links)


def _document(task: Task, links: Links) -> dict[str, JsonValue]:
    request_id = str(task.id)
    document: dict[str, JsonValue] = {"request_id": request_id, "gateway_request_id": request_id}
    if task.status is TaskStatus.SUCCEEDED:
        return document | {"status": "OK", "payload": output_document(task, links)}
    failure = failed_request(task)
    return document | {"status": "ERROR", "error": failure.words, "payload": {"detail": failure.detail}}
