"""Runs the official clients of Replicate against a real stack, each in its own environment."""

import http.server
import json
import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.clients.official.replicate.lossy_proxy import LossyProxy
from tests.clients.official.report import Shown

DOOR = "replicate"
HERE = Path(__file__).parent
CLIENTS: Mapping[str, tuple[str, str, str]] = {
    "replicate-1": ("replicate (Python)", "1.0.7", "use_replicate_1.py"),
    "replicate-2": ("replicate (Python)", "2.0.0b4", "use_replicate_2.py"),
    "replicate-js": ("replicate (JavaScript)", "1.4.0", "use_replicate.mjs"),
}
"""By the names of environments: what the table says of each client, and what it runs."""
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
ENVIRONMENT: Mapping[str, str] = {"GENPULSE_RETRY__MAX_ATTEMPTS": "1"}
"""What a stack must be started with; `prepare` writes its files."""
_LONGEST_S = 900


class Stack(Protocol):
    """A running stack: `url` is how it is reached, and `https_url` over TLS by the certificate `authority`."""

    url: str
    https_url: str
    authority: Path

    def genpulse(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command beside it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A client's environment: the program that runs scripts in it, and for node where packages are."""

    interpreter: Path
    node_modules: Path | None = None


def prepare(folder: Path) -> None:
    """Write what the stack reads at its start."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.yaml").write_text(CONFIG)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/sandbox.yaml").write_text(MODELS)


def run(stack: Stack, environments: Mapping[str, Program]) -> list[Shown]:
    """What each of the clients has shown whose environment is there."""
    shown = []
    with LossyProxy(stack.url) as proxy, _loser(proxy) as lose_url:
        for name, (client, version, script) in CLIENTS.items():
            if name not in environments:
                shown.append(Shown(DOOR, client, version, "", seen=False, note="its environment is not there"))
                continue
            asked = json.dumps(_asked(stack, lossy_url=proxy.url, lose_url=lose_url))
            lines = _lines(environments[name], HERE / script, asked, stack.authority)
            shown += [Shown(DOOR, client, version, line["call"], line["seen"], line["note"]) for line in lines]
    return shown


def _asked(stack: Stack, *, lossy_url: str, lose_url: str) -> Mapping[str, str]:
    key, other = _key(stack, "clients"), _key(stack, "others")
    return {
        "url": stack.https_url,
        "lossy_url": lossy_url,
        "lose_url": lose_url,
        "key": key,
        "reader_key": _key(stack, "reader", "--scope", "tasks:read"),
        "poor_key": _key(stack, "poor", "--daily-usd", "1"),
        "slow_key": _key(stack, "slow", "--rate", "3/min"),
        "own_task": _task(stack, key),
        "other_task": _task(stack, other),
    }


def _key(stack: Stack, name: str, *words: str) -> str:
    made = stack.genpulse("keys", "create", "--name", name, *words, "--json")
    assert made.returncode == 0, made.stderr
    key: str = json.loads(made.stdout)["key"]
    return key


def _task(stack: Stack, key: str) -> str:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    body = json.dumps({"model": "sandbox/noop", "input": {}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{stack.url}/v1/tasks", body, headers)) as answer:
        task_id: str = json.load(answer)["id"]
    return task_id


def _lines(program: Program, script: Path, asked: str, authority: Path) -> Sequence[Mapping[str, object]]:
    """What the script has printed. It runs beside its packages, since node looks for them there."""
    environment = {
        "PATH": os.defpath,
        "SSL_CERT_FILE": str(authority),
        "NODE_EXTRA_CA_CERTS": str(authority),
    }
    folder = HERE
    if program.node_modules is not None:
        folder = program.node_modules.parent
        script = _copied(script, folder)
    done = subprocess.run(
        [program.interpreter, script, asked],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _copied(script: Path, folder: Path) -> Path:
    copy = folder / script.name
    copy.write_text(script.read_text())
    return copy


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
