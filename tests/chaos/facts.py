"""Everything that the verdict rests on, as it was when the last task had ended."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import asyncpg
from redis.asyncio import Redis

from tests.chaos.books import Books, Fate, Order, Taken
from tests.chaos.shape import Shape
from tests.chaos.stage import Stage

ENDED = frozenset({"succeeded", "failed", "canceled"})
QUEUES = ("queue", "pgqueuer.pgqueuer")
"""Where a queue of the product may be, whichever of them there is."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A change of a task's state, as it was committed."""

    was: str
    now: str
    was_seq: int
    now_seq: int
    at: datetime


@dataclass(frozen=True)
class Facts:
    """Rows by task, the vendor's books, and what was done to which process."""

    tasks: Mapping[str, Row]
    attempts: Mapping[str, tuple[Row, ...]]
    assets: tuple[Row, ...]
    deliveries: tuple[Row, ...]
    changes: Mapping[str, tuple[Change, ...]]
    queued: int
    keys: tuple[str, ...]
    books: Books[Order]
    orders: Mapping[str, tuple[Order, ...]]
    hurt: frozenset[int]
    workers: Mapping[str, str]

    def code(self, task_id: str) -> str:
        """How a task ended."""
        return code_of(self.tasks[task_id])

    def fates(self, task_id: str) -> tuple[Fate, ...]:
        """What the books say about a task's orders."""
        return tuple(order.fate(self.books.now) for order in self.orders.get(task_id, ()))

    def lost(self, task_id: str) -> int:
        """How many attempts ended since their worker was taken for lost."""
        own = {"running", "succeeded", "failed", "canceled", "released"}
        return sum(attempt["status"] not in own for attempt in self.attempts.get(task_id, ()))

    def cut_off(self, task_id: str) -> bool:
        """Whether one of its workers was killed, stopped or frozen, be it before or after."""
        attempts = self.attempts.get(task_id, ())
        pids = [pid for one in attempts if (pid := self._pid(str(one["worker"]))) is not None]
        return any(pid in self.hurt for pid in pids) or (not pids and self.lost(task_id) > 0)

    def _pid(self, worker: str) -> int | None:
        """Of a worker, whose name is host:pid:more."""
        found = re.search(r":(\d+)(:|$)", self.workers.get(worker, worker))
        return int(found[1]) if found else None

    def is_known(self, task_id: str, order: Order) -> bool:
        """Whether we can have known of this order: somebody asked for it by its id, or it can be looked up."""
        kept = {one["job_id"] for one in self.attempts.get(task_id, ())} | {
            self.tasks[task_id].get("order_job_id")
        }
        return order.asked > 0 or order.job in kept or Shape(order.shape).can_find


def code_of(task: Row) -> str:
    """How a task ended: `succeeded`, `canceled`, or the code of its failure.

    One that was canceled may have an error, too: that of an order whose answer never came.
    """
    return str(task["error"]["code"] if task["error"] and task["status"] == "failed" else task["status"])


async def gather(stage: Stage) -> Facts:
    """Ask PostgreSQL, Redis and the vendor."""
    connection = await asyncpg.connect(stage.postgres.url)
    try:
        tasks = await connection.fetch("SELECT *, (input ->> 'number')::int AS number FROM tasks")
        attempts = await connection.fetch("SELECT * FROM attempts ORDER BY number")
        assets = await connection.fetch("SELECT * FROM assets")
        deliveries = await connection.fetch("SELECT * FROM deliveries")
        changes = await connection.fetch("SELECT * FROM chaos.changes ORDER BY at")
        queued, workers = await _queued(connection), await _workers(connection)
    finally:
        await connection.close()
    async with Redis.from_url(stage.redis.url, decode_responses=True) as redis:
        keys = tuple(await redis.keys("*"))
    books = await books_of(stage.vendor_url, Order)
    return Facts(
        {str(row["id"]): _task(row) for row in tasks},
        by_task((str(row["task_id"]), dict(row)) for row in attempts),
        tuple(map(dict, assets)),
        tuple(map(dict, deliveries)),
        by_task((str(row["task_id"]), _change(row)) for row in changes),
        queued,
        keys,
        books,
        by_task((order.task, order) for order in books.orders),
        frozenset(pid for slot in stage.slots for pid in slot.hurt),
        workers,
    )


def _task(row: Row) -> Row:
    return {**row, "error": json.loads(row["error"]) if row["error"] else None}


def _change(row: Row) -> Change:
    return Change(row["was"], row["now"], row["was_seq"], row["now_seq"], row["at"])


def by_task(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """What there is of each, in its order."""
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for task_id, thing in pairs:
        grouped[task_id].append(thing)
    return {task_id: tuple(things) for task_id, things in grouped.items()}


async def _queued(connection: asyncpg.Connection) -> int:
    count = 0
    for table in QUEUES:
        if await connection.fetchval("SELECT to_regclass($1)", table) is not None:
            count += await connection.fetchval(f"SELECT count(*) FROM {table}")
    return count


async def _workers(connection: asyncpg.Connection) -> dict[str, str]:
    """Names by id, where attempts know their workers by id."""
    if await connection.fetchval("SELECT to_regclass('workers')") is None:
        return {}
    rows = [
        json.loads(row["one"]) for row in await connection.fetch("SELECT to_jsonb(workers) AS one FROM workers")
    ]
    return {str(row["id"]): str(row["name"]) for row in rows if {"id", "name"} <= row.keys()}


async def books_of(vendor_url: str, order: Callable[..., Taken]) -> Books[Taken]:
    """A vendor's books as they are now."""
    async with aiohttp.ClientSession() as client, client.get(f"{vendor_url}/ledger") as answer:
        return Books.of(await answer.json(), order)
