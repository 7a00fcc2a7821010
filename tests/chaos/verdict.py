"""What has to be true in the end, however often something was killed."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from redis.asyncio import Redis

from tests.chaos.behaviour import TAKES_AND_IS_SILENT, Fault, fault_of
from tests.chaos.driver import Driver
from tests.chaos.receiver import Receiver
from tests.chaos.stage import Stage
from tests.chaos.vendor import content_of

_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One promise, how often it was looked at, and what breaks it."""

    promise: str
    looked_at: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken

    def __str__(self) -> str:
        shown = "" if self.holds else f": {', '.join(self.broken[:_SHOWN])}"
        return f"| {self.promise} | {self.looked_at:,} | {len(self.broken)}{shown} |"


@dataclass(frozen=True)
class Facts:
    """Everything that the verdict rests on, as it was when the last task had ended."""

    tasks: Mapping[str, Mapping[str, Any]]
    attempts: tuple[Mapping[str, Any], ...]
    assets: tuple[Mapping[str, Any], ...]
    deliveries: tuple[Mapping[str, Any], ...]
    queued: int
    keys: tuple[str, ...]
    accepted: Mapping[str, int]
    refused: Mapping[str, int]


async def gather(stage: Stage) -> Facts:
    """Ask PostgreSQL, Redis and the vendor."""
    connection = await asyncpg.connect(stage.postgres.url)
    try:
        tasks = await connection.fetch("SELECT *, (input ->> 'number')::int AS number FROM tasks")
        attempts = await connection.fetch("SELECT * FROM attempts")
        assets = await connection.fetch("SELECT * FROM assets")
        deliveries = await connection.fetch("SELECT * FROM deliveries")
        queued = await connection.fetchval("SELECT count(*) FROM pgqueuer.pgqueuer")
    finally:
        await connection.close()
    async with Redis.from_url(stage.redis.url, decode_responses=True) as redis:
        keys = tuple(await redis.keys("*"))
    async with aiohttp.ClientSession() as client, client.get(f"{stage.vendor_url}/ledger") as answer:
        ledger = await answer.json()
    return Facts(
        {str(row["id"]): dict(row) for row in tasks},
        tuple(map(dict, attempts)),
        tuple(map(dict, assets)),
        tuple(map(dict, deliveries)),
        queued,
        keys,
        ledger["accepted"],
        ledger["refused"],
    )


def judge(facts: Facts, driver: Driver, receiver: Receiver, storage: Path, seed: int) -> tuple[Finding, ...]:
    """One finding a promise."""
    tasks, ended = facts.tasks, {"succeeded", "failed", "canceled"}
    lost = [str(number) for number, task_id in driver.ids.items() if task_id not in tasks]
    missing = [str(number) for number in range(driver.count) if number not in driver.ids]
    extra = [task_id for task_id in tasks if task_id not in set(driver.ids.values())]
    return (
        Finding("every task was accepted in the end", driver.count, tuple(missing)),
        Finding(
            "what was accepted is there, once", len(tasks), tuple(lost + extra + list(map(str, driver.double)))
        ),
        Finding(
            "the API said 202, or 503 with Retry-After, and nothing else", _sum(driver), tuple(driver.refused)
        ),
        Finding("every task has ended", len(tasks), _those(tasks, lambda task: task["status"] not in ended)),
        Finding("no attempt runs for ever", len(facts.attempts), _running(facts)),
        Finding("no queue entry is left", len(tasks), ("entries",) * facts.queued),
        Finding("the vendor took each task at most once", _total(facts.accepted), _twice(facts.accepted)),
        Finding("what nobody can know failed as unknown, perhaps charged", len(tasks), _unknown(facts, seed)),
        Finding("what can be known ended as it should", len(tasks), _ended_wrongly(facts, seed)),
        Finding("a message about each end arrived, under one id", len(tasks), _messages(facts, receiver)),
        Finding("no message was forged", _total(receiver.ids), ("forged",) * receiver.forged),
        Finding("every asset has its bytes, and they are right", len(facts.assets), _assets(facts, storage)),
        Finding("every success has its one output", len(tasks), _without_output(facts)),
        Finding("every key in Redis has the prefix", len(facts.keys), _foreign(facts.keys)),
    )


def _sum(driver: Driver) -> int:
    return sum(driver.answers.values())


def _total(counted: Mapping[str, Any]) -> int:
    return sum(value if isinstance(value, int) else len(value) for value in counted.values())


def _those(tasks: Mapping[str, Mapping[str, Any]], wrong: Any) -> tuple[str, ...]:
    return tuple(f"{task_id} (number {task['number']})" for task_id, task in tasks.items() if wrong(task))


def _running(facts: Facts) -> tuple[str, ...]:
    return tuple(str(one["task_id"]) for one in facts.attempts if one["status"] == "running")


def _twice(accepted: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"{task_id}: {count} times" for task_id, count in accepted.items() if count > 1)


def _error(task: Mapping[str, Any]) -> Mapping[str, Any]:
    import json

    return json.loads(task["error"]) if task["error"] else {}


def _unknown(facts: Facts, seed: int) -> tuple[str, ...]:
    """Jobs that were taken in silence and cannot be looked up."""

    def wrong(task: Mapping[str, Any]) -> bool:
        silent = fault_of(seed, task["number"]) in TAKES_AND_IS_SILENT and task["model"] == "chaos/blind"
        error = _error(task)
        return silent and (error.get("code"), error.get("charged")) != ("unknown_outcome", "maybe")

    return _those(facts.tasks, wrong)


def _ended_wrongly(facts: Facts, seed: int) -> tuple[str, ...]:
    """A worker that dies while it asks leaves an unknown outcome, but never where the vendor can be asked."""

    def wrong(task: Mapping[str, Any]) -> bool:
        fault, code = fault_of(seed, task["number"]), _error(task).get("code")
        if task["model"] == "chaos/blind" and code == "unknown_outcome":
            return False
        if fault is Fault.FAILED:
            return bool(code != "provider_rejected")
        return bool(task["status"] != "succeeded")

    return _those(facts.tasks, wrong)


def _messages(facts: Facts, receiver: Receiver) -> tuple[str, ...]:
    wrong = []
    for task_id, task in facts.tasks.items():
        ids, states = receiver.ids.get(task_id, set()), receiver.states.get(task_id, set())
        if len(ids) != 1 or states != {task["status"]}:
            wrong.append(f"{task_id}: ids {len(ids)}, states {sorted(states)}, is {task['status']}")
    return tuple(wrong)


def _assets(facts: Facts, storage: Path) -> tuple[str, ...]:
    wrong = []
    numbers = {task["id"]: task["number"] for task in facts.tasks.values()}
    for asset in facts.assets:
        path = storage / asset["key"]
        content = path.read_bytes() if path.exists() else b""
        right = content_of(numbers[asset["task_id"]])
        if content != right or asset["sha256"] != hashlib.sha256(right).hexdigest() or asset["size"] != len(right):
            wrong.append(str(asset["id"]))
    return tuple(wrong)


def _without_output(facts: Facts) -> tuple[str, ...]:
    outputs = Counter(asset["task_id"] for asset in facts.assets)

    def wrong(task: Mapping[str, Any]) -> bool:
        return outputs[task["id"]] != (1 if task["status"] == "succeeded" else 0)

    return _those(facts.tasks, wrong)


def _foreign(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for key in keys if not key.startswith("dev:"))
