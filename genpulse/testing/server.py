"""The server of fake vendors: real HTTP, the situations, and a record of the requests."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from genpulse.testing.answers import OWN, cut_json, drop, given
from genpulse.testing.behaviour import SHORT_LIFE_S, FakeBehaviour
from genpulse.testing.media import PNG
from genpulse.testing.oddity import Body, OddAnswer, Phase
from genpulse.testing.situation import Situation

__all__ = ["KEY", "PNG", "SHORT_LIFE_S", "FakeServer", "Ordered", "cut_json", "drop"]

KEY = "key-of-the-account"
"""The key that a `Subject` has when nobody says otherwise."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order as the vendor's books have it: what was answered (None: no status), and whether it was taken."""

    status: int | None
    taken: bool


class FakeServer(FakeBehaviour):
    """A server on the loopback device. A subclass adds its routes, keeps its jobs, and counts what it is asked.

    `key_header` is where the vendor wants its key. `phases` says by the name of a handler what its requests are
    for: with it every oddity can be had of the fake. `output` serves the file of a job as the situation wants it,
    on this server and at `files_url`, which is another host.
    """

    key_header: ClassVar[str] = "Authorization"
    phases: ClassVar[Mapping[str, Phase]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.submits = 0
        self.canceled = 0
        self.inside_hits = 0
        self.orders: list[Ordered] = []
        self._asked: Counter[Phase] = Counter()
        self._keys: set[str] = set()
        self._leaks: list[str] = []
        self._done: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def keys(self) -> frozenset[str]:
        """Every value of the header that carries the key."""
        return frozenset(self._keys)

    @property
    def leaks(self) -> tuple[str, ...]:
        """Requests that carried the key to other hosts or to paths that do not exist."""
        return tuple(self._leaks)

    def be(self, situation: Situation) -> None:
        """Behave so from now on, and without an oddity. What was held back is answered."""
        super().be(situation)
        self._changed.set()
        self._changed = asyncio.Event()

    def asked(self, phase: Phase) -> int:
        """The number of requests of a phase."""
        return self._asked[phase]

    def add_routes(self, app: web.Application) -> None:
        """The vendor's own addresses."""
        raise NotImplementedError

    def refusal(self, status: int, words: str) -> web.Response:
        """A refusal as the vendor would word it; unless it is overridden, in the forms that most of them have."""
        error = {"message": words, "type": "odd", "code": "odd"}
        return web.json_response({"detail": words, "error": error, "status": status}, status=status)

    def tell_done(self, job_id: str) -> None:
        """The next request for the job collects it, where polling and collecting are one address."""
        self._done.add(job_id)

    def phase_of(self, request: web.Request) -> Phase | None:
        """The phase of a request; None for one that `phases` does not name."""
        name = getattr(request.match_info.handler, "__name__", "")
        phase = Phase.DOWNLOAD if name == "output" else self.phases.get(name)
        collects = phase is Phase.POLL and request.match_info.get("id") in self._done
        return Phase.COLLECT if collects else phase

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeServer"]:
        """Serve while the body runs; `base_url` is known then."""
        own, files = web.Application(middlewares=[self._own]), self._files()
        self.add_routes(own)
        inside = await asyncio.start_server(self._inside, "127.0.0.1", 0)
        runners = [web.AppRunner(one, shutdown_timeout=0.1) for one in (own, files)]
        ports = [await _start(runner) for runner in runners]
        self.base_url = f"http://127.0.0.1:{ports[0]}"
        self.files_url = f"http://localhost:{ports[1]}"
        self.inside_url = f"https://127.0.0.1:{inside.sockets[0].getsockname()[1]}/latest/meta-data"
        try:
            yield self
        finally:
            self._changed.set()
            inside.close()
            for runner in runners:
                await runner.cleanup()

    def _files(self) -> web.Application:
        app = web.Application(middlewares=[self._elsewhere])
        app.router.add_get("/output/{id}", self.output)
        app.router.add_get("/{path:.*}", self.elsewhere)
        return app

    @web.middleware
    async def _own(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        is_known = request.match_info.http_exception is None and ".." not in request.path
        self._note_key(request, leaks=not is_known)
        answer = await self._through(request, handler)
        if request.match_info.handler != self.output:
            self._spoke_at = time.monotonic()
        return answer

    @web.middleware
    async def _elsewhere(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        self._note_key(request, leaks=True)
        return await self._through(request, handler)

    def _note_key(self, request: web.Request, *, leaks: bool) -> None:
        if key := request.headers.get(self.key_header):
            self._keys.add(key)
            if leaks:
                self._leaks.append(f"{request.method} {request.host}{request.raw_path}")

    async def _through(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        phase = self.phase_of(request)
        if phase is None:
            return await handler(request)
        self._asked[phase] += 1
        if phase is Phase.ORDER:
            return await self._ordered(request, handler)
        odd = self.odd_in(phase)
        if odd is None:
            return await handler(request)
        done = frozenset(self._done)
        own = await handler(request) if phase is Phase.CANCEL or odd.body in OWN else None
        if odd.body not in {Body.OWN, Body.HEARTBEAT, Body.HELD}:
            self._done = set(done)
        return await self._given(request, odd, own)

    async def _ordered(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        odd, before, place = self.odd_in(Phase.ORDER), self.submits, len(self.orders)
        self.orders.append(Ordered(None, taken=False))
        own = await handler(request) if odd is None or odd.taken else None
        self.submits = before + 1
        is_taken = own is not None and own.status < 300
        self.orders[place] = Ordered(None, is_taken)
        answer = own if odd is None and own is not None else await self._given(request, odd or OddAnswer(), own)
        is_lost = odd is not None and odd.body in {Body.DROPPED, Body.SHORT}
        self.orders[place] = Ordered(None if is_lost else answer.status, is_taken)
        return answer

    async def _given(
        self, request: web.Request, odd: OddAnswer, own: web.StreamResponse | None
    ) -> web.StreamResponse:
        if odd.body is Body.HELD:
            await self._changed.wait()
            odd = self.odd_in(Phase.ORDER) or OddAnswer()
        places = {"{own}": self.base_url, "{files}": self.files_url, "{inside}": self.inside_url}
        return await given(request, odd.with_places(places), own, self.refusal)

    async def _inside(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Whoever connects has gone too far, whatever he would have said."""
        self.inside_hits += 1
        writer.close()


async def _start(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
