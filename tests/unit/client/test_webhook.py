"""Messages are verified as `standardwebhooks`, with which the server signs, has made them."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from genpulse_client import AsyncGenPulse, GenPulse, InvalidWebhook, verify_webhook

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes, 24").decode()
PLAIN = "any other text"
BODY = json.dumps({"type": "task.succeeded", "data": {"id": "0193", "status": "succeeded"}}).encode()


def signed(*secrets, body=BODY, sent=NOW):
    """The headers of a message."""
    signers = [Webhook(each if each.startswith("whsec_") else each.encode()) for each in secrets]
    signatures = " ".join(each.sign("msg_1", sent, body.decode()) for each in signers)
    return {
        "Webhook-Id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "WEBHOOK-SIGNATURE": signatures,
    }


def verified(headers, secret=SECRET, body=BODY, **options):
    return verify_webhook(body, headers, secret, now=NOW.timestamp(), **options)


@pytest.mark.parametrize("secret", [SECRET, PLAIN])
@pytest.mark.parametrize("body", [BODY, BODY.decode()])
def test_a_message_is_read(secret, body):
    message = verified(signed(secret), secret, body)
    assert (message.id, message.type, message.timestamp) == ("msg_1", "task.succeeded", NOW)
    assert (message.task.id, message.task.status) == ("0193", "succeeded")


def test_secrets_change_on_both_sides():
    assert verified(signed(PLAIN, SECRET))
    assert verified(signed(SECRET), [PLAIN, SECRET])
    with pytest.raises(InvalidWebhook, match="by this secret"):
        verified(signed(PLAIN))
    with pytest.raises(InvalidWebhook, match="by this secret"):
        verified(signed(SECRET), [])


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_message_is_refused(seconds):
    headers = signed(SECRET, sent=NOW + timedelta(seconds=seconds))
    with pytest.raises(InvalidWebhook, match="more than 300 s from now"):
        verified(headers)
    assert verified(headers, tolerance_s=600)


@pytest.mark.parametrize("name", ["Webhook-Id", "webhook-timestamp", "WEBHOOK-SIGNATURE"])
@pytest.mark.parametrize("value", [None, "", "nonsense", "v1,", "v1,ä", "-1", "1e9", "nan", "²", "9" * 30])
def test_a_header_that_is_missing_or_another_is_refused(name, value):
    headers = signed(SECRET)
    headers.pop(name)
    with pytest.raises(InvalidWebhook, match="webhook-"):
        verified(headers if value is None else {**headers, name: value})


def test_a_signature_of_another_version_or_body_is_none():
    headers = signed(SECRET)
    with pytest.raises(InvalidWebhook):
        verified({**headers, "WEBHOOK-SIGNATURE": headers["WEBHOOK-SIGNATURE"].replace("v1,", "v2,")})
    with pytest.raises(InvalidWebhook):
        verified(headers, body=BODY + b" ")


@pytest.mark.parametrize("body", [b"", b"words", b"[]", b'{"type": "x"}', b'{"type": "x", "data": {}}'])
def test_a_body_that_is_none_of_ours_is_refused(body):
    with pytest.raises(InvalidWebhook, match="its body is none"):
        verified(signed(SECRET, body=body), body=body)


@pytest.mark.parametrize("secret", ["", "whsec_not!base64"])
def test_a_secret_that_is_none_is_told_without_its_text(secret):
    with pytest.raises(ValueError, match="secret of the webhooks") as error:
        verified(signed(PLAIN), secret)
    assert "not!" not in str(error.value)


def test_it_is_a_verb_of_the_clients():
    assert GenPulse.verify_webhook is AsyncGenPulse.verify_webhook is verify_webhook
