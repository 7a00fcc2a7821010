"""What all fakes of vendors share: a real server, the situations, and what was seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from genpulse.testing import Situation

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)
KEY = "key-of-the-account"


class FakeServer:
    """A server on the loopback device. A subclass adds its routes and keeps its jobs."""

    key_header = "Authorization"

    def __init__(self) -> None:
        self.situation = Situation.WELL
        self.submits = 0
        self.canceled = 0
        self.inside_hits = 0
        self.base_url = ""
        self.inside_url = ""
        self._keys: set[str] = set()
        self._left: dict[str, int] = {}

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._keys)

    def be(self, situation: Situation) -> None:
        self.situation = situation
        self._left = {}

    def times(self, what: str, count: int) -> bool:
        """True for the first `count` times that it is asked since the situation began."""
        left = self._left.setdefault(what, count)
        self._left[what] = left - 1
        return left > 0

    def add_routes(self, app: web.Application) -> None:
        raise NotImplementedError

    @web.middleware
    async def _note(self, request: web.Request, handler) -> web.StreamResponse:
        if key := request.headers.get(self.key_header):
            self._keys.add(key)
        return await handler(request)

    async def _inside(self, _: web.Request) -> web.Response:
        self.inside_hits += 1
        return web.Response(body=PNG)

    async def output(self, request: web.Request) -> web.StreamResponse:
        """The file of a job, as the situation wants it."""
        match self.situation:
            case Situation.EMPTY_OUTPUT:
                return web.Response(body=b"")
            case Situation.GONE_OUTPUT:
                return web.Response(status=404, text="expired")
            case Situation.REDIRECTED_OUTPUT:
                raise web.HTTPFound(self.inside_url)
            case Situation.BROKEN_OUTPUT if self.times("broken", 1):
                response = web.StreamResponse(headers={"Content-Length": str(len(PNG))})
                await response.prepare(request)
                await response.write(PNG[:20])
                drop(request)
                return response
            case _:
                return web.Response(body=PNG, content_type="image/png")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeServer"]:
        """Serve while the body runs."""
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


async def _start(runner: web.AppRunner) -> int:
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1]


def drop(request: web.Request) -> None:
    """Break the connection off."""
    if request.transport is not None:
        request.transport.abort()


async def cut_json(request: web.Request, text: str) -> web.StreamResponse:
    """An answer whose JSON is cut off, as by a proxy that gave up."""
    await asyncio.sleep(0)
    return web.Response(text=text[: len(text) // 2], content_type="application/json")
