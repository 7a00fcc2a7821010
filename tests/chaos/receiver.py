"""Takes webhooks, verifies them, and is now and then not well."""

import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_" + "Y2hhb3MtY2hhb3MtY2hhb3MtY2hhb3MtMzI="


@dataclass
class Receiver:
    """What came, by task: the ids of messages that were taken, and the state that each told."""

    draw: random.Random
    ids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    states: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    forged: int = 0
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            Webhook(SECRET).verify(body, dict(request.headers))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not from us
            self.forged += 1
            return web.Response(status=401)
        if self.draw.random() < 0.03:
            return web.Response(status=500)
        task = json.loads(body)["data"]
        self.ids[task["id"]].add(request.headers["webhook-id"])
        self.states[task["id"]].add(task["status"])
        return web.Response(status=204)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Receiver"]:
        app = web.Application()
        app.router.add_post("/", self.take)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        try:
            yield self
        finally:
            await runner.cleanup()
