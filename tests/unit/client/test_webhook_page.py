"""The page about webhooks: each way to verify a message takes what the server signs, and nothing else."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from genpulse_client import InvalidWebhook
from tests.node import node

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/how-to/receive-webhooks.md"
BODY = json.dumps({"type": "task.succeeded", "data": {"id": "0193", "status": "succeeded", "word": "ä"}})
SECRETS = ["any text", "whsec_YSBzZWNyZXQgb2YgMjQgYnl0ZXMsIDI0"]
USE = """
import { verified } from "./page.mjs";
const [secret, body, headers] = JSON.parse(process.argv[2]);
console.log(await verified(body, headers, secret).catch((error) => error.name));
"""


def signed(secret, sent):
    """The headers of a message."""
    signer = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": f"v1,bm90aGluZw== {signer.sign('msg_1', sent, BODY)}",
    }


def blocks(language):
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.fixture(params=["verified_by_the_client", "verified_by_hand", "javascript"])
def verified(request, tmp_path):
    """What the page shows, as a function that gives the id, or None for a message that is refused."""
    if request.param == "javascript":
        return lambda *message: in_node(tmp_path, message)
    namespace = {}
    exec(blocks("python"), namespace)

    def call(secret, body, headers):
        try:
            return namespace[request.param](body.encode(), headers, secret)
        except (InvalidWebhook, ValueError):
            return None

    return call


def in_node(folder, message):
    scope = folder / "node_modules/@genpulse"
    if not scope.exists():
        scope.mkdir(parents=True)
        (scope / "client").symlink_to(ROOT / "packages/client-typescript")
    (folder / "page.mjs").write_text(blocks("javascript"))
    (folder / "use.mjs").write_text(USE)
    words = (node(), "use.mjs", json.dumps(message))
    made = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    said = made.stdout.strip()
    return None if said == "InvalidWebhook" else said


@pytest.mark.parametrize("secret", SECRETS)
def test_a_message_of_ours_is_taken(verified, secret):
    assert verified(secret, BODY, signed(secret, datetime.now(UTC))) == "0193"


def test_any_other_is_refused(verified):
    secret, now = SECRETS[0], datetime.now(UTC)
    assert verified("another", BODY, signed(secret, now)) is None
    assert verified(secret, f"{BODY} ", signed(secret, now)) is None
    assert verified(secret, BODY, signed(secret, now - timedelta(minutes=6))) is None
