"""A vendor that misbehaves: a real HTTP server, which keeps books of what it was asked for.

python -m tests.chaos.vendor PORT SEED
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from genpulse.testing import Phase
from genpulse.testing.answers import given
from tests.chaos.behaviour import FAILS, REFUSES_ONCE, Fault, fault_of, lasts_s, odd_of
from tests.chaos.books import Order
from tests.chaos.desk import Desk, content_of, serve

ODD = b'{"error": "no \\u0000 \\ud83d \xff\xfe \x00 \xc3"}'
ODD_REASON = "no \x00 \ud83d reason \udcff"
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


class Vendor(Desk[Order]):
    """Takes orders, and misbehaves as the number of each says."""

    def app(self) -> web.Application:
        app = super().app()
        app.middlewares.append(self.oddly)
        return app

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
        number = int(str(body["number"]))
        fails = fault_of(self.seed, number) in FAILS
        return self.entered(Order(**self.told(body, lasts_s(self.seed, number)), fails=fails))

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

    async def output(self, request: web.Request) -> web.StreamResponse:
        """What a job has made; of some the connection breaks once."""
        full = await super().output(request)
        number = self.orders[request.match_info["id"]].number
        if fault_of(self.seed, number) is Fault.OUTPUT_DROPPED and self.once("output", number):
            return await _cut(request, full)
        return full


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
    serve(Vendor(int(sys.argv[2])).app(), int(sys.argv[1]))
