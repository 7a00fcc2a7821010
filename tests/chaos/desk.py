"""What every vendor of the suites has: its addresses, and the books in which it writes what it was asked for."""

import time
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import Any, Generic

from aiohttp import web

from tests.chaos.books import Books, Fate, Taken

_PNG = b"\x89PNG\r\n\x1a\n"


def content_of(number: int) -> bytes:
    """What the job of this task makes: by its first bytes a picture."""
    return _PNG + f"made for task {number}\n".encode() * 20


class Desk(ABC, Generic[Taken]):
    """Takes jobs, and orders whose answer is the picture, and writes them into its books."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.orders: dict[str, Taken] = {}
        self.by_reference: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        self._seen: Counter[tuple[str, int]] = Counter()

    def app(self) -> web.Application:
        """Its addresses."""
        app = web.Application()
        app.router.add_post("/jobs", self.submit)
        app.router.add_get("/jobs", self.find)
        app.router.add_get("/jobs/{id}", self.show)
        app.router.add_delete("/jobs/{id}", self.cancel)
        app.router.add_get("/jobs/{id}/result", self.result)
        app.router.add_get("/jobs/{id}/output", self.output)
        app.router.add_post("/pictures", self.make)
        app.router.add_get("/ledger", self.ledger)
        return app

    @abstractmethod
    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Take a job, unless it is refused."""

    @abstractmethod
    async def make(self, request: web.Request) -> web.StreamResponse:
        """Take an order whose answer is what was ordered."""

    @abstractmethod
    async def show(self, request: web.Request) -> web.StreamResponse:
        """How far a job is."""

    def once(self, what: str, number: int, times: int = 1) -> bool:
        """True for the first `times` times."""
        self._seen[what, number] += 1
        return self._seen[what, number] <= times

    def told(self, body: Mapping[str, Any], lasting_s: float) -> dict[str, Any]:
        """What the books have of an order that is taken now."""
        now = time.time()
        words = {name: str(body[name]) for name in ("task", "shape", "reference")}
        return {
            "job": uuid.uuid4().hex,
            "number": int(body["number"]),
            "taken_at": now,
            "ends_at": now + lasting_s,
        } | words

    def entered(self, order: Taken) -> Taken:
        """The same, in the books."""
        self.orders[order.job] = order
        self.by_reference[order.reference] = order.job
        return order

    def _asked(self, request: web.Request) -> Taken:
        order = self.orders[request.match_info["id"]]
        order.asked += 1
        return order

    async def find(self, request: web.Request) -> web.StreamResponse:
        """The job under a reference."""
        return web.json_response({"id": self.by_reference.get(request.query["reference"])})

    async def result(self, request: web.Request) -> web.StreamResponse:
        """Where that is what a job has made, and what else is to be said of it."""
        order = self._asked(request)
        return web.json_response({"path": f"/jobs/{order.job}/output", **self.beside(order)})

    def beside(self, order: Taken) -> Mapping[str, Any]:
        """What is said of a job beside the place of what it has made."""
        return {}

    async def output(self, request: web.Request) -> web.StreamResponse:
        """What a job has made."""
        return web.Response(body=content_of(self._asked(request).number), content_type="image/png")

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Stop a job that is in work, or say so only."""
        order, now = self._asked(request), time.time()
        if order.fate(now) is Fate.RUNNING and self.heeds_stop(order):
            order.stopped_at = now
        return web.json_response({"id": order.job})

    def heeds_stop(self, order: Taken) -> bool:
        """Whether a job is stopped when it is told to."""
        return True

    async def ledger(self, _: web.Request) -> web.StreamResponse:
        """The books."""
        return web.json_response(Books(time.time(), tuple(self.orders.values()), self.refused).document())


def serve(app: web.Application, port: int) -> None:
    """Until it is killed."""
    web.run_app(app, host="127.0.0.1", port=port, print=None)
