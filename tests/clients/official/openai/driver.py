"""Runs the official clients of OpenAI, each in its own environment."""

import json
import subprocess
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.clients.official.openai.lossy_proxy import LossyProxy
from tests.clients.official.report import Shown
from tests.clients.official.stack import Environments, Stack

DOOR = "openai"
PYTHON = ("openai-python-3", "openai-python-2", "openai-python-1")
JAVASCRIPT = "openai-javascript"
_HERE = Path(__file__).parent
USE_PYTHON, USE_JAVASCRIPT = _HERE / "use_openai.py", _HERE / "use_openai.mjs"
_LONGEST_S = 600


def run(stack: Stack, environments: Environments) -> list[Shown]:
    """What each of them has shown."""
    shown: list[Shown] = []
    for name in PYTHON:
        shown += use([str(environments.python(name)), "-W", "ignore", str(USE_PYTHON)], stack)
    script = environments.packages(JAVASCRIPT) / USE_JAVASCRIPT.name
    script.write_text(USE_JAVASCRIPT.read_text())
    return shown + use([str(environments.node), str(script)], stack)


def use(command: Sequence[str], stack: Stack) -> list[Shown]:
    """What one client has shown that is run by this command."""
    with LossyProxy(stack.dev.port) as lossy:
        asked = {**_keys(stack), "url": stack.url, "mark": uuid.uuid4().hex}
        asked |= {"base_url": f"{stack.url}/openai/v1", "lossy_url": f"{lossy.url}/openai/v1"}
        done = subprocess.run(
            [*command, json.dumps(asked)],
            cwd=stack.folder,
            env={},
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    client, *calls = [json.loads(line) for line in done.stdout.splitlines()]
    return [Shown(DOOR, client["client"], client["version"], **call) for call in calls]


def _keys(stack: Stack) -> Mapping[str, str]:
    """Keys that may do all, read alone, call once an hour, make one task a day, and another one's."""
    key = stack.key("openai")
    asked = urllib.request.Request(
        f"{stack.url}/openai/v1/webhook_secret", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(asked) as answer:
        webhook_secret = json.load(answer)["secret"]
    return {
        "key": key,
        "webhook_secret": webhook_secret,
        "read_key": stack.key("reads", "--scope", "tasks:read"),
        "rate_key": stack.key("seldom", "--rate", "1/h"),
        "poor_key": stack.key("poor", "--daily-tasks", "1"),
        "other_key": stack.key("another"),
    }
