"""One task by each door, and all of them by each."""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from genpulse.dialects.doors import open_doors
from genpulse.dialects.options import DialectOptions
from tests.acceptance.dev_stack import Dev

pytestmark = pytest.mark.slow

MODEL = "sandbox/video"
INPUT = {"prompt": "a lighthouse", "width": 64, "height": 64, "duration_s": 1, "fps": 8}
_WAIT_S = 120


class Caller:
    """Calls with a key, which every door knows under a word of its own."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        address = path if path.startswith("http") else f"{self._url}{path}"
        asked = urllib.request.Request(address, data, headers, method=method)
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)


def own_submit(call: Caller) -> str:
    return call("POST", "/v1/tasks", {"model": MODEL, "input": INPUT})["id"]


def own_ids(call: Caller, _ids: list[str]) -> list[str]:
    return [task["id"] for task in call("GET", "/v1/tasks?limit=100")["data"]]


def replicate_submit(call: Caller) -> str:
    return call("POST", f"/replicate/v1/models/{MODEL}/predictions", {"input": INPUT})["id"]


def replicate_ids(call: Caller, _ids: list[str]) -> list[str]:
    return [one["id"] for one in call("GET", "/replicate/v1/predictions")["results"]]


def fal_submit(call: Caller) -> str:
    return call("POST", f"/fal/queue/{MODEL}", INPUT)["request_id"]


def fal_ids(call: Caller, ids: list[str]) -> list[str]:
    """fal has no list: each request is asked for by its id."""
    path = f"/fal/queue/{MODEL}/requests"
    return [call("GET", f"{path}/{task_id}/status")["request_id"] for task_id in ids]


def openai_submit(call: Caller) -> str:
    video = {"model": MODEL, "prompt": "a lighthouse", "size": "64x64", "seconds": "1", "fps": 8}
    return call("POST", "/openai/v1/videos", video)["id"]


def openai_ids(call: Caller, _ids: list[str]) -> list[str]:
    return [one["id"] for one in call("GET", "/openai/v1/videos?limit=100")["data"]]


Submit, Ids = Callable[[Caller], str], Callable[[Caller, list[str]], list[str]]
OWN: tuple[Submit, Ids] = (own_submit, own_ids)
DOORS: Mapping[str, tuple[Submit, Ids]] = {
    "replicate": (replicate_submit, replicate_ids),
    "fal": (fal_submit, fal_ids),
    "openai": (openai_submit, openai_ids),
}


def canonical(task_id: str) -> str:
    """Doors write the same id in ways of their own."""
    return task_id.removeprefix("video_").replace("-", "")


def ended(call: Caller, task_id: str) -> Mapping[str, Any]:
    deadline = time.monotonic() + _WAIT_S
    while True:
        task: Mapping[str, Any] = call("GET", f"/v1/tasks/{urllib.parse.quote(task_id)}")
        if task["status"] in {"succeeded", "failed", "canceled"}:
            return task
        assert time.monotonic() < deadline, task
        time.sleep(0.1)


def test_each_door_lists_the_tasks_of_all(tmp_path: Path) -> None:
    options = DialectOptions(frozenset(DOORS), dict.fromkeys(DOORS, 60))
    opened = [DOORS[door.name] for door in open_doors(options)]
    assert len(opened) == len(DOORS)
    dev = Dev(tmp_path, "--no-reload")
    try:
        dev.start()
        made = dev.genpulse("keys", "create", "--name", "doors", "--json")
        call = Caller(dev.url, json.loads(made.stdout)["key"])
        ids = [submit(call) for submit, _ in (OWN, *opened)]
        tasks = {canonical(one) for one in ids}
        assert len(tasks) == len(ids)
        for task_id in tasks:
            assert ended(call, task_id)["status"] == "succeeded"
        named = own_ids(call, [])
        for _, list_ids in (OWN, *opened):
            assert tasks <= {canonical(one) for one in list_ids(call, named)}
    finally:
        dev.ended()
