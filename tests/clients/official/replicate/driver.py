"""Runs the official clients of Replicate against a real stack, each in its own environment."""

import http.server
import json
import os
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.dev_stack import Dev
from tests.clients.official.replicate.lossy_proxy import LossyProxy, certificate_for_loopback
from tests.clients.official.report import Shown
from tests.clients.official.stack import Environments, Stack

DOOR = "replicate"
HERE = Path(__file__).parent
PYTHON: Mapping[str, str] = {
    "replicate-python-1": "use_replicate_1.py",
    "replicate-python-2": "use_replicate_2.py",
}
"""What runs in each environment."""
JAVASCRIPT = "replicate-javascript"
CONFIG = f"""
default:
  catalogue:
    folder: models
  doors:
    aliases:
      acme/flux: sandbox/image
      acme/old:{"39ed52f2" * 8}: sandbox/image
  routes:
    either:
      kind: noop
      try: [sandbox/noop]
"""
MODELS = """
provider: sandbox
models:
  - id: dear
    does: noop
    title: A model that costs
    kinds: [noop]
    input: NoopInput
    outputs: [file]
    price: {unit: call, amount: 5, date: 2026-11-20, source: "https://vendor.example/prices"}
"""
_LONGEST_S = 900


def run(stack: Stack, environments: Environments) -> list[Shown]:
    """What each of them has shown, at a stack that speaks https and has a model that costs."""
    folder = stack.folder / DOOR
    folder.mkdir()
    authority = certificate_for_loopback(folder)
    with LossyProxy(stack.url, authority) as tls:
        own = _prepared(folder, tls.url)
        tls.passes_to(own.url)
        try:
            own.dev.start()
            return _run(own, tls.url, authority, environments)
        finally:
            own.dev.ended()


def _prepared(folder: Path, public_url: str) -> Stack:
    """A stack with names of others, a route, a model with a price, and one attempt for each task."""
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(CONFIG)
    (folder / "models").mkdir()
    (folder / "models/sandbox.yaml").write_text(MODELS)
    changed = {"GENPULSE_RETRY__MAX_ATTEMPTS": "1", "GENPULSE_API__PUBLIC_URL": public_url}
    return Stack(Dev(folder, "--no-reload", **changed))


def _run(stack: Stack, url: str, authority: Path, environments: Environments) -> list[Shown]:
    shown: list[Shown] = []
    packages = environments.packages(JAVASCRIPT)
    with LossyProxy(stack.url) as proxy, _loser(proxy) as lose_url:
        asked = json.dumps({**_asked(stack), "url": url, "lossy_url": proxy.url, "lose_url": lose_url})
        for name, script in PYTHON.items():
            shown += _use([environments.python(name), HERE / script, asked], HERE, authority)
        shutil.copy(HERE / "use_replicate.mjs", packages)
        shown += _use([environments.node, packages / "use_replicate.mjs", asked], packages, authority)
    return shown


def _asked(stack: Stack) -> Mapping[str, str]:
    """Keys that may do all, read alone, spend a dollar and call three times a minute, and two tasks."""
    key = stack.key("clients")
    return {
        "key": key,
        "reader_key": stack.key("reader", "--scope", "tasks:read"),
        "poor_key": stack.key("poor", "--daily-usd", "1"),
        "slow_key": stack.key("slow", "--rate", "3/min"),
        "own_task": _task(stack, key),
        "other_task": _task(stack, stack.key("others")),
    }


def _task(stack: Stack, key: str) -> str:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    body = json.dumps({"model": "sandbox/noop", "input": {}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{stack.url}/v1/tasks", body, headers)) as answer:
        task_id: str = json.load(answer)["id"]
    return task_id


def _use(command: Sequence[Path | str], folder: Path, authority: Path) -> list[Shown]:
    """What one client has shown that is run by this command: first who it is, then a line for each call."""
    trusted = {"SSL_CERT_FILE": str(authority), "NODE_EXTRA_CA_CERTS": str(authority)}
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.defpath, **trusted},
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    client, *calls = [json.loads(line) for line in done.stdout.splitlines()]
    return [Shown(DOOR, client["client"], client["version"], **call) for call in calls]


@contextmanager
def _loser(proxy: LossyProxy) -> Iterator[str]:
    """An address at which a client says that the answer to its next POST is to be lost."""

    class Loser(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            proxy.losing = 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Loser)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
