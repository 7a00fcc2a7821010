"""Takes webhooks, verifies them, and is now and then not well."""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest

from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_" + "Y2hhb3MtY2hhb3MtY2hhb3MtY2hhb3MtMzI="
CLOCK_S = 300.0
"""A receiver refuses a message whose moment is further away than this."""


@dataclass
class Receiver:
    """What came, by task: the ids of messages that were taken, the state that each told, and when the first came.

    `wrong_clock` counts messages that a strict receiver would have refused for their moment; they are taken here.
    """

    draw: random.Random
    ids: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    states: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    came_at: dict[str, float] = field(default_factory=dict)
    forged: int = 0
    wrong_clock: int = 0
    refused: set[str] = field(default_factory=set)
    is_calm: bool = False
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        """Take it, or answer 500 now and then."""
        body = await request.read()
        if not _is_signed(request.headers, body):
            self.forged += 1
            return web.Response(status=401)
        if self._is_unwell(request.headers["webhook-id"]):
            return web.Response(status=500)
        if abs(float(request.headers["webhook-timestamp"]) - time.time()) > CLOCK_S:
            self.wrong_clock += 1
        task = json.loads(body)["data"]
        self.ids[task["id"]][request.headers["webhook-id"]] += 1
        self.states[task["id"]].add(task["status"])
        self.came_at.setdefault(task["id"], time.time())
        return web.Response(status=204)

    def _is_unwell(self, message: str) -> bool:
        """Once for a few of the messages, while there is a storm."""
        if self.is_calm or message in self.refused or self.draw.random() >= 0.03:
            return False
        self.refused.add(message)
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Receiver"]:
        """Listen, for as long as the body runs."""
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


def _is_signed(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether it is ours, whatever moment it tells."""
    try:
        moment = datetime.fromtimestamp(float(headers["webhook-timestamp"]), UTC)
        ours = Webhook(SECRET).sign(headers["webhook-id"], moment, body.decode())
        return compare_digest(ours, headers["webhook-signature"])
    except (KeyError, ValueError, OverflowError):
        return False
