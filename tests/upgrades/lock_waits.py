"""Submitters and workers beside an upgrade, and how long each of their statements waited for a lock.

PostgreSQL itself tells how long: with `log_lock_waits` it says so of each wait of more than a millisecond.
"""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

_WAITED = re.compile(r"acquired (\w+) on (\w+ \d+).* after ([\d.]+) ms")
_MEASURE = """
SET deadlock_timeout = '1ms'; SET log_lock_waits = on; SET client_min_messages = log;
SET enable_seqscan = off; SET jit = off
"""
_SUBMIT = """
WITH task AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at)
VALUES ($1, 'dev', 'shop', 'text-to-image', 'beside', 'beside/m', 'queued', 0, '{"prompt": "a fox"}', '{}', now())
RETURNING id, provider)
INSERT INTO queue (task_id, provider, priority) SELECT id, provider, 0 FROM task
"""
_CLAIM = """
WITH chosen AS (
SELECT task_id FROM queue WHERE provider = 'beside' AND lease IS NULL AND due_at <= now()
ORDER BY begun DESC, priority DESC, due_at, task_id LIMIT 1 FOR UPDATE SKIP LOCKED),
held AS (
UPDATE queue SET lease = $1, worker = $1 FROM chosen WHERE queue.task_id = chosen.task_id RETURNING queue.task_id),
begun AS (
UPDATE tasks SET status = 'running', lease = $1, attempt = attempt + 1, started_at = now(), seq = seq + 1
FROM held WHERE tasks.id = held.task_id RETURNING tasks.id)
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at)
SELECT $1, id, 1, 'beside', 'beside/m', 'w', 'gp-' || $1::text, 'running', now() FROM begun RETURNING task_id
"""
_PROGRESS = "UPDATE tasks SET progress = 0.5, seq = seq + 1 WHERE id = $1 AND lease = $2"
_END = """
WITH ended AS (
UPDATE tasks SET status = 'succeeded', lease = NULL, finished_at = now(), seq = seq + 1
WHERE id = $1 AND lease = $2 RETURNING id),
attempt AS (UPDATE attempts SET status = 'succeeded', finished_at = now() WHERE id = $2),
asset AS (
INSERT INTO assets (id, task_id, environment, key, sha256, size, media_type, created_at)
SELECT gen_random_uuid(), id, 'dev', 'k', 's', 1, 'image/png', now() FROM ended)
DELETE FROM queue WHERE task_id = $1
"""
_LOOK = "SELECT * FROM tasks WHERE provider = 'beside' ORDER BY id DESC LIMIT 20"


@dataclass
class Waits:
    """What happened beside one step. The longest statement counts what this machine had to do besides, too.

    `deadlocks` come of the meter: PostgreSQL looks for them after a millisecond here, and by itself after a
    second, when a migration has long given up.
    """

    statements: int = 0
    longest_s: float = 0.0
    longest_lock_ms: float = 0.0
    locked: str = ""
    took_s: float = 0.0
    deadlocks: int = 0


@dataclass
class Beside:
    """What goes on beside an upgrade. `now` is where the next waits are counted."""

    now: Waits = field(default_factory=Waits)
    submitted: int = 0
    ended: int = 0

    def told(self, _connection, message) -> None:
        """PostgreSQL's word about a wait."""
        if (match := _WAITED.search(message.message)) and float(match[3]) > self.now.longest_lock_ms:
            self.now.longest_lock_ms, self.now.locked = float(match[3]), f"{match[1]} on {match[2]}"

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Waits]:
        """While the body runs, waits are those of a step of its own, which is returned."""
        self.now = waits = Waits()
        started = time.monotonic()
        yield waits
        waits.took_s = time.monotonic() - started
        self.now = Waits()

    async def submits(self, connection) -> None:
        while True:
            await self._timed(connection.execute, _SUBMIT, uuid.uuid4())
            self.submitted += 1
            await asyncio.sleep(0.002)

    async def works(self, connection) -> None:
        while True:
            lease = uuid.uuid4()
            task_id = await self._timed(connection.fetchval, _CLAIM, lease)
            if task_id is not None:
                await self._timed(connection.execute, _PROGRESS, task_id, lease)
                await self._timed(connection.execute, _END, task_id, lease)
                self.ended += 1
            await asyncio.sleep(0.002)

    async def looks(self, connection) -> None:
        while True:
            await self._timed(connection.fetch, _LOOK)
            await asyncio.sleep(0.01)

    async def _timed(self, ask, *arguments):
        """What a statement answers. One that was given up for a deadlock is repeated, and counts on."""
        started = time.monotonic()
        while True:
            try:
                result = await ask(*arguments)
                break
            except asyncpg.DeadlockDetectedError:
                self.now.deadlocks += 1
        self.now.statements += 1
        self.now.longest_s = max(self.now.longest_s, time.monotonic() - started)
        return result


@asynccontextmanager
async def beside(url) -> AsyncIterator[Beside]:
    """Two that submit, two that work and one that looks, while the body runs. What they raise, it raises."""
    found = Beside()
    connections = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(5)]
    for connection in connections:
        await connection.execute(_MEASURE)
        connection.add_log_listener(found.told)
    acts = (found.submits, found.submits, found.works, found.works, found.looks)
    tasks = [asyncio.create_task(act(each)) for act, each in zip(acts, connections, strict=True)]
    try:
        yield found
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in connections:
            await connection.close()
