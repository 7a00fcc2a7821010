"""Webhook messages in fal's form, and the keys by which they are checked."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from genpulse.api.schemas.links import Links
from genpulse.dialects.fal.webhook import CHOICE, fal_form
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.webhook_delivery import Delivery
from genpulse.lifecycle.webhooks.forms import Signing
from tests.api_keys import added
from tests.ed25519 import is_signed

NOW = datetime(2030, 1, 31, 12, 0, 0, 700_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "vector",
    [
        (
            "",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "72",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
)
def test_the_checker_is_right(vector):
    """By the test vectors of RFC 8032."""
    message, public, signature = (bytes.fromhex(word) for word in vector)
    assert is_signed(public, message, signature)
    assert not is_signed(public, message + b"x", signature)


async def links():
    return Links("https://gp.example.org")


async def told(fal, task, now=NOW):
    delivery = Delivery(fal.api.services.new_id(), task.id, f"task.{task.status}", "https://h.example.org/", now)
    message = await fal_form(fal.api.services, links).message(delivery, task, now)
    assert message.signing is Signing.NONE
    return message


async def is_ours(fal, message):
    """As a receiver checks it, by the keys that it fetches."""
    keys = (await fal.call("GET", "/.well-known/jwks.json")).json["keys"]
    assert {(key["kty"], key["crv"]) for key in keys} == {("OKP", "Ed25519")}
    headers = {name.lower(): value for name, value in message.headers.items()}
    lines = (
        headers["x-fal-webhook-request-id"],
        headers["x-fal-webhook-user-id"],
        headers["x-fal-webhook-timestamp"],
        hashlib.sha256(message.body).hexdigest(),
    )
    signature = bytes.fromhex(headers["x-fal-webhook-signature"])
    points = [base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4)) for key in keys]
    return any(is_signed(point, "\n".join(lines).encode(), signature) for point in points)


async def submitted(fal, caller=None):
    answer = await (caller or fal).submit(query="?fal_webhook=https%3A%2F%2Fh.example.org%2F")
    return await fal.api.store.get(UUID(answer.json["request_id"]))


async def test_a_request_chooses_the_form_and_the_end(fal):
    task = await submitted(fal)
    assert (task.webhook_url, task.webhook_choice) == ("https://h.example.org/", CHOICE)
    without = (await fal.submit()).json["request_id"]
    assert (await fal.api.store.get(UUID(without))).webhook_choice is None


async def test_the_output_is_told_and_signed(fal):
    key, headers = await added(fal.api.services.keys)
    task = await submitted(fal, fal.as_caller(headers))
    async with fal.api.worker():
        await fal.as_caller(headers).completed(str(task.id))
    message = await told(fal, await fal.api.store.get(task.id))
    body = json.loads(message.body)
    assert (body["request_id"], body["gateway_request_id"], body["status"]) == (str(task.id), str(task.id), "OK")
    assert body["payload"]["file"]["url"].startswith("https://gp.example.org/v1/assets/")
    assert message.headers["X-Fal-Webhook-User-Id"] == str(key.id)
    assert message.headers["X-Fal-Webhook-Timestamp"] == str(int(NOW.timestamp()))
    assert await is_ours(fal, message)


async def test_a_failure_is_told_as_the_result_would_be(fal):
    task = await submitted(fal)
    failure = Failure(FailureCode.MODERATION_BLOCKED, "No such pictures.", False, Charged.NO, Actor.CALLER)
    ended = await fal.api.end(Failed(failure))
    message = await told(fal, ended)
    body = json.loads(message.body)
    assert (body["status"], body["error"]) == ("ERROR", "No such pictures.")
    assert body["payload"]["detail"] == (await fal.result(str(task.id))).json["detail"]
    assert await is_ours(fal, message)


async def test_a_message_that_was_changed_is_not_ours(fal):
    await submitted(fal)
    ended = await fal.api.end(Failed(Failure(FailureCode.INTERNAL, "Oh.", False, Charged.NO, Actor.NOBODY)))
    message = await told(fal, ended)
    other = type(message)(message.body + b" ", message.headers, message.signing)
    assert not await is_ours(fal, other)


async def test_anybody_may_read_the_keys(fal):
    await added(fal.api.services.keys)
    for path in ("/.well-known/jwks.json", "/rest/.well-known/jwks.json"):
        answer = await fal.call("GET", path)
        assert (answer.status, len(answer.json["keys"])) == (200, 1)
        assert "max-age" in answer.headers["Cache-Control"]
