"""The shops: a real HTTP server for all of them, each with books of what it was asked for.

python -m tests.chaos.money.shops PORT SEED
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from tests.chaos.books import Books, Fate
from tests.chaos.desk import Desk, content_of, serve
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
from tests.chaos.money.shop_books import Sale


class ShopDesk(Desk[Sale]):
    """One shop, which does with each order what the market says."""

    def __init__(self, seed: int, shop: Shop) -> None:
        super().__init__(seed)
        self.shop = shop

    async def submit(self, request: web.Request) -> web.StreamResponse:
        order = await request.json()
        trade = self._turn(order["number"])
        if trade in REFUSES:
            return self._refused(REFUSES[trade])
        sale = self._take(order, trade)
        return _answered(request, sale, web.json_response({"id": sale.job}, status=201))

    async def make(self, request: web.Request) -> web.StreamResponse:
        order = await request.json()
        trade = self._turn(order["number"])
        if trade in REFUSES:
            return self._refused(REFUSES[trade])
        sale = self._take(order, trade)
        await asyncio.sleep(sale.ends_at - sale.taken_at)
        if trade in FAILS:
            return web.json_response({"reason": FAILS[trade]})
        said = said_of(self.seed, self.shop, sale.number)
        headers = dict(zip(("X-Cost", "X-Currency"), said or (), strict=False))
        full = web.Response(body=content_of(sale.number), content_type="image/png", headers=headers)
        return _answered(request, sale, full)

    def _turn(self, number: int) -> Trade:
        """What is done with the order this time: what passes has passed after a few times."""
        trade, times = trade_of(self.seed, self.shop, number), times_of(self.seed, self.shop, number)
        return trade if times is None or self.once("order", number, times) else Trade.SERVED

    def _refused(self, status: int) -> web.Response:
        """A refusal says that nothing was taken."""
        self.refused[f"{self.shop} {status}"] += 1
        return web.Response(status=status, text="no credit" if status == 402 else "later")

    def _take(self, order: Mapping[str, Any], trade: Trade) -> Sale:
        told = self.told(order, lasts_s(self.seed, self.shop, order["number"]))
        return self.entered(Sale(**told, trade=trade, fails=trade in FAILS))

    async def show(self, request: web.Request) -> web.StreamResponse:
        sale = self.orders[request.match_info["id"]]
        match sale.fate(time.time()):
            case Fate.STOPPED:
                return web.json_response({"status": "failed", "progress": 0.5, "reason": "stopped"})
            case Fate.RUNNING:
                return web.json_response({"status": "working", "progress": 0.5})
            case Fate.FAILED:
                return web.json_response({"status": "failed", "progress": 1, "reason": FAILS[Trade(sale.trade)]})
        return web.json_response({"status": "done", "progress": 1})

    def beside(self, order: Sale) -> Mapping[str, Any]:
        """What it costs, where the shop says so."""
        return {"cost": said_of(self.seed, self.shop, order.number)}

    def heeds_stop(self, order: Sale) -> bool:
        return heeds_stop(order.number)


def _answered(request: web.Request, sale: Sale, full: web.Response) -> web.Response:
    match sale.trade:
        case Trade.LOST if request.transport is not None:
            request.transport.abort()
        case Trade.BROKEN:
            return web.Response(status=500, text="what a day")
    return full


def market(seed: int) -> web.Application:
    """Each shop under its name, and the books of all."""
    desks = [ShopDesk(seed, shop) for shop in Shop]
    app = web.Application()
    for desk in desks:
        app.add_subapp(f"/{desk.shop}", desk.app())

    async def ledger(_: web.Request) -> web.StreamResponse:
        return web.json_response(_together(desks).document())

    app.router.add_get("/ledger", ledger)
    return app


def _together(desks: Iterable[ShopDesk]) -> Books[Sale]:
    sales = tuple(sale for desk in desks for sale in desk.orders.values())
    return Books(time.time(), sales, sum((desk.refused for desk in desks), Counter()))


if __name__ == "__main__":
    serve(market(int(sys.argv[2])), int(sys.argv[1]))
