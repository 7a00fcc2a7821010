"""The shops: a real HTTP server for all of them, which keeps books of what it was asked for.

python -m tests.chaos.money.shops PORT SEED
"""

import asyncio
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.chaos.money.market import (
    FAILS,
    REFUSES,
    Shop,
    Trade,
    heeds_stop,
    lasts_s,
    said_of,
    times_of,
    trade_of,
)
from tests.chaos.money.shop_books import Sale, ShopBooks
from tests.chaos.vendor import content_of


@dataclass
class Shops:
    """Take orders and write them into their books."""

    seed: int
    sales: dict[str, Sale] = field(default_factory=dict)
    by_reference: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    asked: Counter[tuple[Shop, int]] = field(default_factory=Counter)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{shop}/jobs", self.submit)
        app.router.add_get("/{shop}/jobs", self.find)
        app.router.add_get("/{shop}/jobs/{id}", self.show)
        app.router.add_delete("/{shop}/jobs/{id}", self.stop)
        app.router.add_get("/{shop}/jobs/{id}/result", self.result)
        app.router.add_get("/{shop}/jobs/{id}/output", self.output)
        app.router.add_post("/{shop}/pictures", self.make)
        app.router.add_get("/ledger", self.ledger)
        return app

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Take a job, unless it is refused."""
        shop, order = Shop(request.match_info["shop"]), await request.json()
        trade = self._turn(shop, order["number"])
        if trade in REFUSES:
            return self._refused(shop, REFUSES[trade])
        sale = self._take(shop, order, trade)
        return self._answered(request, sale, web.json_response({"id": sale.job}, status=201))

    async def make(self, request: web.Request) -> web.StreamResponse:
        """Take an order whose answer is the picture."""
        shop, order = Shop(request.match_info["shop"]), await request.json()
        trade = self._turn(shop, order["number"])
        if trade in REFUSES:
            return self._refused(shop, REFUSES[trade])
        sale = self._take(shop, order, trade)
        await asyncio.sleep(sale.ends_at - sale.taken_at)
        if trade in FAILS:
            return web.json_response({"reason": FAILS[trade]})
        headers = dict(zip(("X-Cost", "X-Currency"), said_of(self.seed, shop, sale.number) or (), strict=False))
        full = web.Response(body=content_of(sale.number), content_type="image/png", headers=headers)
        return self._answered(request, sale, full)

    def _turn(self, shop: Shop, number: int) -> Trade:
        """What is done with the order this time: what passes has passed after a few times."""
        self.asked[shop, number] += 1
        trade, times = trade_of(self.seed, shop, number), times_of(self.seed, shop, number)
        return Trade.SERVED if times is not None and self.asked[shop, number] > times else trade

    def _refused(self, shop: Shop, status: int) -> web.Response:
        """A refusal says that nothing was taken."""
        self.refused[f"{shop} {status}"] += 1
        return web.Response(status=status, text="no credit" if status == 402 else "later")

    def _take(self, shop: Shop, order: dict[str, Any], trade: Trade) -> Sale:
        number, now = order["number"], time.time()
        lasting_s = lasts_s(self.seed, shop, number)
        sale = Sale(uuid.uuid4().hex, shop, order["task"], number, order["reference"], trade, now, now + lasting_s)
        self.sales[sale.job] = sale
        self.by_reference[shop, sale.reference] = sale.job
        return sale

    def _answered(self, request: web.Request, sale: Sale, full: web.Response) -> web.Response:
        match sale.trade:
            case Trade.LOST if request.transport is not None:
                request.transport.abort()
            case Trade.BROKEN:
                return web.Response(status=500, text="what a day")
        return full

    async def find(self, request: web.Request) -> web.StreamResponse:
        """The job under a reference."""
        place = request.match_info["shop"], request.query["reference"]
        return web.json_response({"id": self.by_reference.get(place)})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """How far a job is."""
        sale = self.sales[request.match_info["id"]]
        if sale.stopped_at is not None:
            return web.json_response({"status": "failed", "reason": "stopped"})
        if sale.is_open(time.time()):
            return web.json_response({"status": "working"})
        reason = FAILS.get(Trade(sale.trade))
        return web.json_response({"status": "failed" if reason else "done", "reason": reason})

    async def result(self, request: web.Request) -> web.StreamResponse:
        """Where that is what a job has made, and what it costs where the shop says so."""
        sale = self.sales[request.match_info["id"]]
        said = said_of(self.seed, Shop(sale.shop), sale.number)
        return web.json_response({"path": f"/jobs/{sale.job}/output", "cost": said})

    async def output(self, request: web.Request) -> web.StreamResponse:
        """What a job has made."""
        sale = self.sales[request.match_info["id"]]
        return web.Response(body=content_of(sale.number), content_type="image/png")

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """Stop a job that is in work, or say so only."""
        sale = self.sales[request.match_info["id"]]
        if sale.is_open(time.time()) and heeds_stop(sale.number):
            sale.stopped_at = time.time()
        return web.json_response({"id": sale.job})

    async def ledger(self, _: web.Request) -> web.StreamResponse:
        """The books."""
        return web.json_response(ShopBooks(time.time(), tuple(self.sales.values()), dict(self.refused)).document())


if __name__ == "__main__":
    web.run_app(Shops(int(sys.argv[2])).app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
