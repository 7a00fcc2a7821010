"""A vendor that misbehaves: a real HTTP server, which keeps books of what it was asked for.

python -m tests.chaos.vendor PORT SEED
"""

import asyncio
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from genpulse.testing import Phase
from genpulse.testing.answers import given
from tests.chaos.behaviour import FAILS, REFUSES_ONCE, Fault, fault_of, lasts_s, odd_of
from tests.chaos.books import Books, Order

ODD = b'{"error": "no \\u0000 \\ud83d \xff\xfe \x00 \xc3"}'
ODD_REASON = "no \x00 \ud83d reason \udcff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PHASES = {
    "submit": Phase.ORDER,
    "make": Phase.ORDER,
    "show": Phase.POLL,
    "result": Phase.COLLECT,
    "output": Phase.DOWNLOAD,
    "cancel": Phase.CANCEL,
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PIECES = 8
_PIECE_S = 0.25


def content_of(number: int) -> bytes:
    """What the job of this task makes: by its first bytes a picture."""
    return _PNG + f"made for task {number}\n".encode() * 20


@dataclass
class Vendor:
    """Takes orders and writes them into its books."""

    seed: int
    orders: dict[str, Order] = field(default_factory=dict)
    by_reference: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.oddly])
        app.router.add_post("/jobs", self.submit)
        app.router.add_get("/jobs", self.find)
        app.router.add_get("/jobs/{id}", self.show)
        app.router.add_delete("/jobs/{id}", self.cancel)
        app.router.add_get("/jobs/{id}/result", self.result)
        app.router.add_get("/jobs/{id}/output", self.output)
        app.router.add_post("/pictures", self.make)
        app.router.add_get("/ledger", self.ledger)
        return app

    def once(self, what: str, number: int, times: int = 1) -> bool:
        """True for the first `times` times."""
        self.seen[what, number] += 1
        return self.seen[what, number] <= times

    @web.middleware
    async def oddly(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """In the place of the vendor's own answer the odd one that this task meets, if it is its turn."""
        phase = _PHASES.get(getattr(request.match_info.handler, "__name__", ""))
        number = await self._number(request, phase)
        odd = None if number is None else odd_of(self.seed, number)
        if number is None or odd is None or odd.oddity.phase is not phase:
            return await handler(request)
        if odd.oddity.times is not None and not self.once("odd", number, odd.oddity.times):
            return await handler(request)
        if odd.oddity.answer.taken:
            return await given(request, odd.oddity.answer, await handler(request), _refusal)
        self._refuse(await request.json(), web.Response())
        return await given(request, odd.oddity.answer, None, _refusal)

    async def _number(self, request: web.Request, phase: Phase | None) -> int | None:
        if phase is Phase.ORDER:
            return int((await request.json())["number"])
        order = self.orders.get(request.match_info.get("id", ""))
        return None if order is None else order.number

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Take a job, unless it is refused."""
        body = await request.json()
        refusal = self._refusal(body)
        if refusal is not None:
            return refusal
        order = self._take(body)
        return await self._answer(request, order, web.json_response({"id": order.job}, status=201))

    async def make(self, request: web.Request) -> web.StreamResponse:
        """Take an order whose answer is what was ordered."""
        body = await request.json()
        refusal = self._refusal(body)
        if refusal is None and fault_of(self.seed, body["number"]) in FAILS:
            refusal = self._refuse(body, web.Response(status=400, body=ODD))
        if refusal is not None:
            return refusal
        order = self._take(body)
        await asyncio.sleep(order.ends_at - order.taken_at)
        return await self._answer(request, order, web.Response(body=content_of(order.number)))

    def _refusal(self, body: dict[str, object]) -> web.Response | None:
        number = int(str(body["number"]))
        fault = fault_of(self.seed, number)
        if fault is Fault.ODD_REFUSED:
            return self._refuse(body, web.Response(status=400, body=ODD))
        if fault not in REFUSES_ONCE or not self.once("refused", number):
            return None
        if fault is Fault.BUSY:
            return self._refuse(body, web.Response(status=429, headers={"Retry-After": "1"}))
        said = ODD if fault is Fault.ODD_BUSY else b"full"
        return self._refuse(body, web.Response(status=503, body=said))

    def _refuse(self, body: dict[str, object], answer: web.Response) -> web.Response:
        self.refused[str(body["task"])] += 1
        return answer

    def _take(self, body: dict[str, object]) -> Order:
        number, now = int(str(body["number"])), time.time()
        order = Order(
            job=uuid.uuid4().hex,
            task=str(body["task"]),
            number=number,
            shape=str(body["shape"]),
            reference=str(body["reference"]),
            taken_at=now,
            ends_at=now + lasts_s(self.seed, number),
            fails=fault_of(self.seed, number) in FAILS,
        )
        self.orders[order.job] = order
        self.by_reference[order.reference] = order.job
        return order

    async def _answer(self, request: web.Request, order: Order, full: web.Response) -> web.StreamResponse:
        odd = odd_of(self.seed, order.number)
        if odd is not None and odd.hides_order:
            return full
        match fault_of(self.seed, order.number):
            case Fault.LOST:
                _drop(request)
            case Fault.HANG:
                await asyncio.sleep(60)
            case Fault.BROKEN:
                return web.Response(status=500, body=ODD)
            case Fault.GARBLED if full.content_type == "application/json":
                return web.Response(body=_bytes(full)[:20], content_type="application/json")
            case Fault.CUT | Fault.GARBLED:
                return await _cut(request, full)
            case Fault.SLOW:
                return await _in_pieces(request, full, lambda: _note(order))
            case _:
                return await _in_pieces(request, full, lambda: _note(order), pieces=1)
        return full

    async def find(self, request: web.Request) -> web.StreamResponse:
        """The job under a reference."""
        return web.json_response({"id": self.by_reference.get(request.query["reference"])})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """How far a job is."""
        order = self.orders.get(request.match_info["id"])
        if order is None:
            return web.Response(status=404, text="no such job")
        order.asked += 1
        fault = fault_of(self.seed, order.number)
        bad = self._bad_poll(request, fault, order.number)
        if bad is not None:
            return bad
        answer = web.json_response(_state(order, fault))
        return await _in_pieces(request, answer) if fault is Fault.SLOW else answer

    def _bad_poll(self, request: web.Request, fault: Fault, number: int) -> web.Response | None:
        match fault:
            case Fault.POLL_DROPPED if self.once("dropped", number, 2):
                _drop(request)
            case Fault.POLL_GARBLED if self.once("garbled", number, 2):
                return web.Response(text="<html>welcome</html>", content_type="text/html")
            case Fault.POLL_BROKEN if self.once("broken", number, 2):
                return web.Response(status=500, body=ODD)
            case Fault.POLL_BUSY if self.once("busy", number):
                return web.Response(status=429, headers={"Retry-After": "1"})
        return None

    async def result(self, request: web.Request) -> web.StreamResponse:
        """Where that is what a job has made."""
        order = self.orders[request.match_info["id"]]
        order.asked += 1
        return web.json_response({"path": f"/jobs/{order.job}/output"})

    async def output(self, request: web.Request) -> web.StreamResponse:
        """What a job has made."""
        order = self.orders[request.match_info["id"]]
        order.asked += 1
        full = web.Response(body=content_of(order.number), content_type="image/png")
        if fault_of(self.seed, order.number) is Fault.OUTPUT_DROPPED and self.once("output", order.number):
            return await _cut(request, full)
        return full

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Stop a job."""
        order = self.orders[request.match_info["id"]]
        order.asked += 1
        if order.stopped_at is None and time.time() < order.ends_at:
            order.stopped_at = time.time()
        return web.json_response({"id": order.job})

    async def ledger(self, _: web.Request) -> web.StreamResponse:
        """The books."""
        return web.json_response(Books(time.time(), tuple(self.orders.values()), self.refused).document())


def _refusal(status: int, words: str) -> web.Response:
    return web.json_response({"error": words, "detail": words}, status=status)


def _note(order: Order) -> None:
    order.answered = True


def _state(order: Order, fault: Fault) -> dict[str, object]:
    if order.stopped_at is not None:
        return {"status": "failed", "progress": 0.5, "reason": "stopped"}
    if time.time() < order.ends_at:
        return {"status": "working", "progress": 0.5}
    reason = ODD_REASON if fault is Fault.ODD_FAILED else "the job failed"
    return {"status": "failed" if order.fails else "done", "progress": 1, "reason": reason}


def _bytes(full: web.Response) -> bytes:
    return full.body if isinstance(full.body, bytes) else b""


async def _in_pieces(
    request: web.Request,
    full: web.Response,
    then: Callable[[], None] = lambda: None,
    pieces: int = _PIECES,
) -> web.StreamResponse:
    """The same answer, a piece at a time; `then` is called when all of it is written."""
    body = _bytes(full)
    response = await _begun(request, full)
    step = max(len(body) // pieces, 1) if pieces > 1 else len(body)
    for begin in range(0, len(body), step):
        if begin:
            await asyncio.sleep(_PIECE_S)
        await response.write(body[begin : begin + step])
    await response.write_eof()
    then()
    return response


async def _cut(request: web.Request, full: web.Response) -> web.StreamResponse:
    """The beginning of an answer; then the connection breaks."""
    response = await _begun(request, full)
    await response.write(_bytes(full)[:20])
    _drop(request)
    return response


async def _begun(request: web.Request, full: web.Response) -> web.StreamResponse:
    response = web.StreamResponse(status=full.status, headers={"Content-Type": full.content_type})
    response.content_length = len(_bytes(full))
    await response.prepare(request)
    return response


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


if __name__ == "__main__":
    web.run_app(Vendor(int(sys.argv[2])).app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
