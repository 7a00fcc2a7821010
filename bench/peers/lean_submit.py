"""The least that a durable submit over HTTP can be, from the same server on the same driver.

An ASGI application of one route: JSON is parsed, two of its words are looked at, inserts of the same moment share
a statement, and what was committed is answered. It knows no key, no schema, no queue, no price and no second try.
"""

import asyncio
import json
import os
import uuid
from datetime import UTC, datetime

import asyncpg
import uvicorn

_TABLE = """
CREATE TABLE IF NOT EXISTS lean_tasks (
    id uuid PRIMARY KEY, model text NOT NULL, input jsonb NOT NULL, status text NOT NULL,
    created_at timestamptz NOT NULL
)
"""
_INSERT = """
INSERT INTO lean_tasks (id, model, input, status, created_at)
SELECT *, 'queued', now() FROM unnest($1::uuid[], $2::text[], $3::jsonb[])
"""
_HEADERS = [(b"content-type", b"application/json")]


class Inserts:
    """While one statement is on its way, the next one gathers."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[tuple[uuid.UUID, str, str], asyncio.Future[None]]] = []
        self._flying: asyncio.Task[None] | None = None

    async def write(self, row: tuple[uuid.UUID, str, str]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._flying is None:
            self._flying = asyncio.create_task(self._fly())
        await future

    async def _fly(self) -> None:
        while batch := self._waiting:
            self._waiting = []
            await self._pool.execute(_INSERT, *map(list, zip(*(row for row, _ in batch), strict=True)))
            for _, future in batch:
                future.set_result(None)
        self._flying = None


class Application:
    """`POST` of any path."""

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        order = json.loads(body)
        status, answer = 422, b"{}"
        if isinstance(order.get("model"), str) and isinstance(order.get("input"), dict):
            task_id = uuid.uuid4()
            await self._inserts.write((task_id, order["model"], json.dumps(order["input"])))
            document = {
                "id": str(task_id),
                "model": order["model"],
                "status": "queued",
                "input": order["input"],
                "created_at": datetime.now(UTC).isoformat(),
            }
            status, answer = 202, json.dumps(document).encode()
        headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive, send) -> None:
        await receive()
        async with asyncpg.create_pool(os.environ["GENPULSE_DATABASE_URL"], min_size=1, max_size=4) as pool:
            await pool.execute(_TABLE)
            self._inserts = Inserts(pool)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    uvicorn.run(Application(), port=0, access_log=False, server_header=False, log_level="info")
