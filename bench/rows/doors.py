"""What a door costs beside our own calls for the same work: a durable submit, and the status of a task."""

import json
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import CLIENTS, ORDER, Stack, cpu_s

TASKS = 64
MOST = 1.3
"""What a door may cost, where our own call costs 1."""


@dataclass(frozen=True, slots=True)
class DoorCalls:
    """How a door is asked for the task of `ORDER`: path, body and status of a submit, and of a status read."""

    submit: str
    body: str
    accept: int
    status: str
    status_accept: int = 200


OURS = DoorCalls("/v1/tasks", ORDER, 202, "/v1/tasks/{id}")
DOORS: Mapping[str, DoorCalls] = {
    "OpenAI": DoorCalls(
        "/openai/v1/videos", '{"model": "sandbox/noop", "prompt": "x"}', 200, "/openai/v1/videos/{id}"
    ),
    "Replicate": DoorCalls(
        "/replicate/v1/models/sandbox/noop/predictions", '{"input": {}}', 201, "/replicate/v1/predictions/{id}"
    ),
    "fal": DoorCalls(
        "/fal/queue/sandbox/noop", "{}", 200, "/fal/queue/sandbox/noop/requests/{id}/status?logs=true", 202
    ),
}


def measure(stack: Stack) -> Result:
    """One API process, whose processor time is counted; every door takes its turn with our own calls."""
    with stack.api() as (url,):
        api = stack.child("api")
        measures: dict[str, Callable[[], float]] = {}
        for name, calls in {"GenPulse": OURS, **DOORS}.items():
            reads = [url + calls.status.format(id=_task_id(url)) for _ in range(TASKS)]
            submit = {"method": "POST", "body": calls.body, "accept": calls.accept}
            measures[f"submit, {name}"] = partial(_cost_us, stack, api, [url + calls.submit], submit)
            measures[f"status, {name}"] = partial(_cost_us, stack, api, reads, {"accept": calls.status_accept})
        series = taking_turns(measures, stack.size.rounds, "µs")
    found = dict(zip(measures, series, strict=True))
    goals = [
        Goal(
            f"{work} at the door of {name}, of our own",
            ratio(found[f"{work}, {name}"], found[f"{work}, GenPulse"]),
            MOST,
            at_least=False,
        )
        for name in DOORS
        for work in ("submit", "status")
    ]
    title = f"processor time of the api for a request at a door, {CLIENTS} connections"
    return Result(title, series, tuple(goals))


def _cost_us(stack: Stack, api: psutil.Process, urls: Sequence[str], words: Mapping[str, object]) -> float:
    """Processor time of the api for one request, in microseconds."""
    before = cpu_s(api)
    figures = stack.requests(*urls, **words)
    return (cpu_s(api) - before) / (figures["per_second"] * stack.size.seconds) * 1e6


def _task_id(url: str) -> str:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}{OURS.submit}", ORDER.encode(), headers)
    with urllib.request.urlopen(request) as answer:
        task_id: str = json.load(answer)["id"]
    return task_id
