"""Messages that tell the end of a task, signed as Standard Webhooks describes it (standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from genpulse_client.errors import InvalidWebhook, UnexpectedAnswer
from genpulse_client.results.task import Task, task_of

TOLERANCE_S = 300.0
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A message that GenPulse has sent. `id` stays the same over all tries, so that it is known again."""

    id: str
    type: str
    timestamp: datetime
    task: Task


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> WebhookMessage:
    """The message in a request, once it is known that GenPulse sent it, and when.

    `body` is the body as it came, byte for byte. `secret` is `whsec_…`, or any other text that is configured;
    several while one replaces another. `tolerance_s` is how far the sender's clock may be off, in seconds, `now`
    the time in seconds since 1970. Raises `InvalidWebhook`, and `ValueError` for a secret that is none.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (_header(named, name) for name in ("id", "timestamp", "signature"))
    seconds = _seconds(timestamp)
    if not abs((time.time() if now is None else now) - seconds) <= tolerance_s:
        raise InvalidWebhook(
            f"webhook-timestamp is more than {tolerance_s:g} s from now: an old message, or a clock."
        )
    content = body.encode() if isinstance(body, str) else body
    signed = b".".join((message_id.encode("utf-8", "replace"), timestamp.encode(), content))
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    if not any(_signs(key, signed, signatures) for key in keys):
        raise InvalidWebhook(
            "No signature in webhook-signature is by this secret: another sender, or another secret."
        )
    return _message(message_id, seconds, content)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(f"webhook-{name}")
    if not value:
        raise InvalidWebhook(f"The header webhook-{name} is missing: this is no message of GenPulse.")
    return value


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise InvalidWebhook(f"webhook-timestamp has to be seconds since 1970, and is {text[:40]!r}.")
    return int(text)


def _key(secret: str) -> bytes:
    if not secret:
        raise ValueError("The secret of the webhooks is empty: give what webhooks.secret is in GenPulse.")
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("What follows whsec_ in the secret of the webhooks is no base64.") from error


def _signs(key: bytes, signed: bytes, signatures: str) -> bool:
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    pairs = (one.partition(",") for one in signatures.split(" "))
    return any(
        version == "v1" and hmac.compare_digest(expected, value.encode("utf-8", "replace"))
        for version, _, value in pairs
    )


def _message(message_id: str, seconds: int, content: bytes) -> WebhookMessage:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    try:
        document = json.loads(content)
        return WebhookMessage(message_id, str(document["type"]), moment, task_of(document["data"]))
    except (ValueError, KeyError, TypeError, UnexpectedAnswer) as error:
        raise InvalidWebhook("The message is signed, but its body is none of GenPulse's.") from error
