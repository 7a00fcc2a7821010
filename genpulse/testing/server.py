"""What fakes of vendors share: a real server, the situations, and what was seen."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

from aiohttp import web

from genpulse.testing.subject import Situation

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)
"""The smallest picture."""
KEY = "key-of-the-account"
"""The key that a `Subject` has when nobody says otherwise."""
SHORT_LIFE_S = 2.0
"""How long SHORT_LIVED_OUTPUT lasts, in seconds."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeServer:
    """A server on the loopback device. A subclass adds its routes, keeps its jobs, and counts what it is asked.

    `key_header` is where the vendor wants its key. `output` serves the file of a job as the situation wants it.
    """

    key_header: ClassVar[str] = "Authorization"

    def __init__(self) -> None:
        self.situation = Situation.WELL
        self.submits = 0
        self.canceled = 0
        self.inside_hits = 0
        self.base_url = ""
        self.inside_url = ""
        self._keys: set[str] = set()
        self._spoke_at = 0.0
        self._left: dict[str, int] = {}

    @property
    def keys(self) -> frozenset[str]:
        """Every value of the header that carries the key."""
        return frozenset(self._keys)

    def be(self, situation: Situation) -> None:
        """Behave so from now on."""
        self.situation = situation
        self._left = {}

    def times(self, what: str, count: int) -> bool:
        """True for the first `count` times that it is asked since the situation began."""
        left = self._left.setdefault(what, count)
        self._left[what] = left - 1
        return left > 0

    def add_routes(self, app: web.Application) -> None:
        """The vendor's own addresses."""
        raise NotImplementedError

    async def output(self, request: web.Request) -> web.StreamResponse:
        """The file of a job."""
        match self.situation:
            case Situation.SHORT_LIVED_OUTPUT if time.monotonic() - self._spoke_at > SHORT_LIFE_S:
                return web.Response(status=404, text="expired")
            case Situation.EMPTY_OUTPUT:
                return web.Response(body=b"")
            case Situation.GONE_OUTPUT:
                return web.Response(status=404, text="expired")
            case Situation.REDIRECTED_OUTPUT:
                raise web.HTTPFound(self.inside_url)
            case Situation.BROKEN_OUTPUT if self.times("broken", 1):
                return await _half(request)
            case _:
                return web.Response(body=PNG, content_type="image/png")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeServer"]:
        """Serve while the body runs; `base_url` is known then."""
        app, inside = web.Application(middlewares=[self._note]), web.Application()
        self.add_routes(app)
        inside.router.add_route("*", "/{path:.*}", self._inside)
        runners = [web.AppRunner(one, shutdown_timeout=0.1) for one in (app, inside)]
        ports = [await _start(runner) for runner in runners]
        self.base_url = f"http://127.0.0.1:{ports[0]}"
        self.inside_url = f"https://127.0.0.1:{ports[1]}/latest/meta-data"
        try:
            yield self
        finally:
            for runner in runners:
                await runner.cleanup()

    @web.middleware
    async def _note(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if key := request.headers.get(self.key_header):
            self._keys.add(key)
        answer = await handler(request)
        if request.match_info.handler != self.output:
            self._spoke_at = time.monotonic()
        return answer

    async def _inside(self, _: web.Request) -> web.Response:
        self.inside_hits += 1
        return web.Response(body=PNG)


async def _half(request: web.Request) -> web.StreamResponse:
    """A picture whose connection breaks off."""
    response = web.StreamResponse(headers={"Content-Length": str(len(PNG))})
    await response.prepare(request)
    await response.write(PNG[:20])
    drop(request)
    return response


async def _start(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


def drop(request: web.Request) -> None:
    """Break the connection off without an answer."""
    if request.transport is not None:
        request.transport.abort()


def cut_json(text: str) -> web.Response:
    """An answer whose JSON is cut off, as by a proxy that gave up."""
    return web.Response(text=text[: len(text) // 2], content_type="application/json")
