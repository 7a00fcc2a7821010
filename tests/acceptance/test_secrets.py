"""No secret is ever shown: each is marked, every command and error path is driven, all output is searched."""

import json
import os
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from genpulse.config import load
from genpulse.configuration.schema import keys
from genpulse.configuration.sources.variables import variable_name
from genpulse.dev.processes.ports import free_port
from tests import command

MARK = "hunter2marked"
UP_S = 120.0
ENDS_WITHIN_S = 60.0
UNREACHABLE = {
    "GENPULSE_DATABASE_URL": f"postgresql://{MARK}user:{MARK}@127.0.0.1:1/d?sslpassword={MARK}",
    "GENPULSE_REDIS__URL": f"redis://{MARK}user:{MARK}@127.0.0.1:1/0",
    "GENPULSE_DATABASE__LISTEN_URL": f"postgresql://{MARK}user:{MARK}@127.0.0.1:2/d",
}
OTHERS = {
    "GENPULSE_STORAGE__ACCESS_KEY_ID": MARK,
    "GENPULSE_STORAGE__SECRET_ACCESS_KEY": MARK,
    "GENPULSE_API_KEY": MARK,
    "GENPULSE_WEBHOOKS__SECRET": MARK,
    "GENPULSE_WEBHOOKS__OLD_SECRETS": f"{MARK} {MARK}",
    "GENPULSE_WEBHOOKS__SEALING_KEYS": f"{MARK}{'A' * 30}=",
    "GENPULSE_PROVIDERS__SANDBOX__API_KEY": MARK,
    "GENPULSE_PROVIDERS__SANDBOX__OPTIONS__API_TOKEN": MARK,
    "GENPULSE_PROVIDERS__ART__API_KEY": MARK,
    "GENPULSE_TRACING__OTLP_URL": "http://127.0.0.1:9",
    "GENPULSE_TRACING__HEADERS": f"authorization={MARK}",
    "GENPULSE_SENTRY__DSN": f"https://{MARK}@127.0.0.1/1",
}
COMMANDS = (
    ("config", "show"),
    ("config", "show", "--json"),
    ("config", "explain", "database_url"),
    ("config", "explain", "redis.url", "--json"),
    ("config", "explain", "providers.art.api_key"),
    ("config", "explain", "webhooks.secret"),
    ("config", "check"),
    ("env", "show"),
    ("env", "lint"),
    ("db", "current"),
    ("db", "upgrade"),
    ("doctor",),
    ("doctor", "--json"),
    ("models",),
    ("providers",),
    ("tasks", "list"),
    ("keys", "list"),
    ("keys", "create", "--name", "x"),
    ("generate", "x", "-m", "sandbox/noop"),
)
BROKEN = (
    {"GENPULSE_DATABASE_URL": f"mysql://{MARK}@h/d"},
    {"GENPULSE_DATABASE_URL": MARK},
    {"GENPULSE_DATABASE_URL": f"postgresql://u:{MARK}@h:port/d"},
    {"GENPULSE_DATABASE_URL": f"postgresql://u:{MARK}@db.example.com/d"},
    {"GENPULSE_REDIS__URL": f"nonsense://{MARK}@h"},
    {"GENPULSE_REDIS__URL": MARK},
    {"GENPULSE_REDIS_URL": f"redis://:{MARK}@h"},
    {"GENPULSE_WEBHOOKS__SECRET": f"sk_live_{MARK}"},
    {"GENPULSE_WEBHOOKS__SEALING_KEYS": MARK},
    {"GENPULSE_STORAGE__URL": f"s3://{MARK}:{MARK}@/"},
    {"GENPULSE_API__PORT": "99999"},
)


def said(folder, *arguments, **environment):
    plain = {"PATH": os.defpath, "GENPULSE_API__PORT": str(free_port())}
    done = command.run(*arguments, folder=folder, environment=plain | environment)
    assert done.stdout + done.stderr, arguments
    return done.stdout + done.stderr


def test_every_secret_setting_is_marked_here(tmp_path):
    marked = {name.replace("__ART__", "__<NAME>__") for name in {**UNREACHABLE, **OTHERS}}
    assert {variable_name(known.key) for known in keys() if known.secret} <= marked
    settings = load(tmp_path, {**UNREACHABLE, **OTHERS})
    assert MARK not in f"{settings!r} {settings}"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_shows_one(tmp_path, words):
    assert MARK not in said(tmp_path, "--debug", *words, **UNREACHABLE, **OTHERS)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: next(iter(broken)))
def test_no_complaint_about_one_shows_it(tmp_path, broken):
    assert MARK not in said(
        tmp_path, "--debug", "worker", **{**UNREACHABLE, **OTHERS, "GENPULSE_API__PORT": "1", **broken}
    )


def test_neither_api_nor_worker_shows_one(tmp_path, database_url, redis_url, redis_server):
    """The servers' own passwords are marks here, and so they are looked for as well."""
    marks = [MARK, urlsplit(database_url).password, urlsplit(redis_url).password]
    port = free_port()
    environment = {
        "PATH": os.defpath,
        "GENPULSE_DATABASE_URL": database_url,
        "GENPULSE_REDIS__URL": redis_url,
        "GENPULSE_API__PORT": str(port),
        "GENPULSE_LOG__LEVEL": "debug",
        **OTHERS,
    }
    said(tmp_path, "db", "upgrade", **environment)
    log = tmp_path / "log"
    with log.open("w") as output:
        processes = [
            command.start(verb, folder=tmp_path, environment=environment, log=output) for verb in ("api", "worker")
        ]
        try:
            seen = _driven(f"http://127.0.0.1:{port}")
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(ENDS_WITHIN_S)
    everything = seen + log.read_text()
    assert "worker ready" in everything
    assert "genpulse_" in seen, "the metrics were read"
    for mark in marks:
        assert mark not in everything


def _driven(api):
    """All that the API answers, to good and to bad requests."""
    deadline = time.monotonic() + UP_S
    while '"ok"' not in (ready := _asked(f"{api}/readyz")):
        assert time.monotonic() < deadline, ready
        time.sleep(0.1)
    task = {"model": "sandbox/noop", "input": {"fail": "permanent"}}
    answers = [
        _asked(f"{api}/v1/tasks", json.dumps(task).encode(), {"Prefer": "wait=5"}),
        _asked(f"{api}/v1/tasks", b"{", {"Authorization": f"Bearer {MARK}"}),
        _asked(f"{api}/v1/tasks", b'{"model": "art/x", "input": {}}'),
    ]
    paths = (
        "/v1/environment",
        "/v1/models",
        "/v1/providers",
        "/v1/tasks",
        "/v1/nothing",
        "/openapi.json",
        "/readyz",
    )
    return "".join([ready, *answers, *(_asked(api + path) for path in (*paths, "/healthz", "/metrics"))])


def _asked(url, body=None, headers=None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode() + str(error.headers)
    except OSError as error:
        return str(error)
