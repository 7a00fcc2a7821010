"""Runs the official clients of fal, each in its own environment."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.clients.official.fal.lossy_proxy import LossyProxy
from tests.clients.official.report import Shown
from tests.clients.official.stack import Environments, Stack

DOOR = "fal"
NEW, OLD, JAVASCRIPT = "fal-python-1", "fal-python-0", "fal-javascript"
ALIAS = "fal-ai/flux/dev"
_HERE = Path(__file__).parent
USE_PYTHON, USE_JAVASCRIPT = _HERE / "use_fal.py", _HERE / "use_fal.mjs"
_LONGEST_S = 600


def run(stack: Stack, environments: Environments) -> list[Shown]:
    """What each of them has shown. The stack speaks https, too."""
    where = urlsplit(stack.dev.state["https_url"]).netloc
    new = {"FAL_RUN_HOST": f"{where}/fal/run", "FAL_QUEUE_RUN_HOST": f"{where}/fal/queue"}
    old = {"FAL_RUN_HOST": f"{where}/fal/run", "PYTHONPATH": str(_HERE / "names")}
    shown = _python(stack, environments.python(NEW), new) + _python(stack, environments.python(OLD), old)
    script = environments.packages(JAVASCRIPT) / USE_JAVASCRIPT.name
    script.write_text(USE_JAVASCRIPT.read_text())
    return shown + use([str(environments.node), str(script)], stack, {}, _asked(stack))


def _python(stack: Stack, python: Path, environment: Mapping[str, str]) -> list[Shown]:
    tls = stack.folder / ".genpulse" / "tls"
    trust = {"SSL_CERT_FILE": stack.dev.state["ca_file"]}
    with LossyProxy(stack.dev.port, tls / "server.pem", tls / "server.key") as lossy:
        asked = {**_asked(stack), "lossy_port": lossy.port}
        return use([str(python), "-W", "ignore", str(USE_PYTHON)], stack, {**environment, **trust}, asked)


def use(
    command: Sequence[str], stack: Stack, environment: Mapping[str, str], asked: Mapping[str, object]
) -> list[Shown]:
    """What one client has shown that is run by this command."""
    done = subprocess.run(
        [*command, json.dumps(asked)],
        cwd=stack.folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    client, *calls = [json.loads(line) for line in done.stdout.splitlines()]
    return [Shown(DOOR, client["client"], client["version"], **each) for each in calls]


def _asked(stack: Stack) -> Mapping[str, object]:
    """Where the stack is, and keys that may do all, read alone, call once an hour, make one task a day."""
    return {
        "url": stack.dev.state["https_url"],
        "api_url": stack.url,
        "alias": ALIAS,
        "key": stack.key("fal"),
        "read_key": stack.key("reads", "--scope", "tasks:read"),
        "rate_key": stack.key("seldom", "--rate", "1/h"),
        "poor_key": stack.key("poor", "--daily-tasks", "1"),
        "other_key": stack.key("another"),
    }
