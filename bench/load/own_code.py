"""What a request costs our own code: the application alone, called in this process, on a store in memory.

There is no server, no database and no second process, so the figures hardly move with what else a machine does.
Each is the least of many turns. Prints JSON: microseconds of a submit and of a look at a task.
"""

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvloop
from starlette.types import ASGIApp, Message, Scope

from bench.stack import ORDER
from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from genpulse.api.server.arrived_body import note_arrived
from genpulse.ports import Services
from genpulse.providers.catalog import load
from genpulse.testing.rig import memory_services

TURNS = 12
REQUESTS = 1000
"""In a turn."""
_HOST = "127.0.0.1"


class Exchange:
    """One request with its answer, as a server hands it to the application."""

    def __init__(self, app: ASGIApp, method: str, path: str, body: bytes = b"") -> None:
        self._app = app
        self._method = method
        self._path = path
        self._body = body
        self._headers = [(b"host", _HOST.encode()), (b"content-type", b"application/json")]
        self._headers += [(b"content-length", str(len(body)).encode())] if body else []
        self.status = 0
        self.answer = b""

    async def __call__(self) -> None:
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._method,
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": self._headers,
            "client": (_HOST, 40_000),
            "server": (_HOST, 80),
            "state": {},
        }
        note_arrived(scope)
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.answer = message["body"]


@asynccontextmanager
async def _services() -> AsyncIterator[Services]:
    async with memory_services(load({})) as found:
        yield found


@asynccontextmanager
async def _alive(app: ASGIApp) -> AsyncIterator[None]:
    """The application between its start and its end."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan", "asgi": {}, "state": {}}, told.get, answers.put))
    await told.put({"type": "lifespan.startup"})
    if (answer := await answers.get())["type"] != "lifespan.startup.complete":
        raise SystemExit(str(answer))
    yield
    await told.put({"type": "lifespan.shutdown"})
    await life


async def _least_us(work: Callable[[], Awaitable[None]]) -> float:
    """Of a turn, for one of its requests; the first turn warms up."""
    turns = []
    for _ in range(TURNS + 1):
        gc.collect()
        gc.disable()
        began = time.perf_counter()
        for _ in range(REQUESTS):
            await work()
        turns.append((time.perf_counter() - began) / REQUESTS * 1e6)
        gc.enable()
    return min(turns[1:])


async def main() -> None:
    app = create_app(_services, ApiOptions())
    async with _alive(app):
        submit = Exchange(app, "POST", "/v1/tasks", ORDER.encode())
        await submit()
        if submit.status != 202:
            raise SystemExit(f"a submit was answered {submit.status}: {submit.answer!r}")
        read = Exchange(app, "GET", f"/v1/tasks/{json.loads(submit.answer)['id']}")
        read_us = await _least_us(read)
        if read.status != 200:
            raise SystemExit(f"a look was answered {read.status}: {read.answer!r}")
        print(json.dumps({"submit_us": await _least_us(submit), "read_us": read_us}))


if __name__ == "__main__":
    uvloop.run(main())
