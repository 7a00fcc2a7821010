"""A webhook from the submit to a receiver that verifies it: `genpulse listen`."""

import json
import os
import time
import urllib.request

import pytest

from genpulse.dev.processes.ports import free_port
from tests import command

SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
UP_S = 120.0


@pytest.fixture
def system(tmp_path, database_url, redis_url):
    """An API and a worker; the body starts more commands of the same environment."""
    environment = {
        "PATH": os.defpath,
        "GENPULSE_DATABASE_URL": database_url,
        "GENPULSE_REDIS__URL": redis_url,
        "GENPULSE_API__PORT": str(free_port()),
        "GENPULSE_WEBHOOKS__SECRET": SECRET,
    }
    running = []

    def start(*arguments):
        process = command.start(*arguments, folder=tmp_path, environment=environment)
        running.append(process)
        return process

    assert start("db", "upgrade").wait(UP_S) == 0
    start("api")
    start("worker")
    yield start, f"http://127.0.0.1:{environment['GENPULSE_API__PORT']}"
    for process in running:
        process.terminate()
    for process in running:
        process.communicate()


def asked(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    deadline = time.monotonic() + UP_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except ConnectionError:
            raise
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def heard(process):
    return json.loads(process.stdout.readline())


def listening(start, *options):
    process = start("listen", "--json", *options)
    line = process.stderr.readline()
    assert line.startswith("Listening at http://127.0.0.1:")
    return process, line.removeprefix("Listening at ").strip()


def test_the_end_of_a_task_is_told_signed_and_visible(system):
    start, api = system
    listener, url = listening(start)
    task = asked(f"{api}/v1/tasks", {"model": "sandbox/noop", "input": {}, "webhook_url": url})
    message = heard(listener)
    assert message["signed"] == "good"
    assert message["message"]["type"] == "task.succeeded"
    shown = asked(f"{api}/v1/tasks/{task['id']}")
    told = message["message"]["data"]
    assert shown["urls"].pop("events").partition("?")[0] == told["urls"].pop("events")
    assert told == shown
    deadline = time.monotonic() + UP_S
    while (delivery := asked(f"{api}/v1/tasks/{task['id']}/deliveries")["data"][0])["state"] != "taken":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (delivery["message_id"], delivery["status_code"], delivery["attempts"]) == (message["id"], 204, 1)
    asked(f"{api}/v1/tasks/{task['id']}/deliveries/{delivery['id']}/retry", {})
    assert heard(listener)["id"] == message["id"]


def test_a_receiver_that_is_away_gets_it_later(system):
    start, api = system
    port = free_port()
    task = asked(
        f"{api}/v1/tasks",
        {"model": "sandbox/noop", "input": {"fail": "permanent"}, "webhook_url": f"http://127.0.0.1:{port}/"},
    )
    deadline = time.monotonic() + UP_S
    while not (found := asked(f"{api}/v1/tasks/{task['id']}/deliveries")["data"]) or not found[0]["attempts"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "Cannot connect" in found[0]["error"]
    listener, _ = listening(start, "--port", str(port))
    message = heard(listener)
    assert (message["id"], message["message"]["type"]) == (found[0]["message_id"], "task.failed")
