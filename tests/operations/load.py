"""Careful clients of an installation that is put to the test: they try again, and keep books of what they got."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

AGAIN_S = 0.2
PATIENCE_S = 60.0


@dataclass
class Load:
    """Submits to these APIs, follows to the end; a webhook is to come for each task.

    `ids` are the accepted tasks by their number, `waits_s` the seconds from the first try to the acceptance,
    `refusals` what was answered in between. `told` counts webhooks by task.
    """

    urls: list[str]
    ids: dict[int, str] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    hook: str = ""

    async def submit(self, client, number, **inputs):
        """Until it is accepted, under one idempotency key; its id."""
        body = {"model": "sandbox/noop", "input": {"output_bytes": 10, **inputs}, "webhook_url": self.hook}
        began = time.monotonic()
        document = await self.answered(client, number, "/v1/tasks", {202, 200}, body, str(number))
        self.waits_s.append(time.monotonic() - began)
        self.ids[number] = document["id"]
        return document["id"]

    async def cancel(self, client, number):
        return await self.answered(client, number, f"/v1/tasks/{self.ids[number]}/cancel", {200}, {}, "")

    async def answered(self, client, number, path, wanted, body, key):
        """What an API says once it says one of these."""
        tries = 0
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            url = self.urls[(number + tries) % len(self.urls)]
            tries += 1
            try:
                async with client.post(f"{url}{path}", json=body, headers=headers) as answer:
                    document = await answer.json()
                    if answer.status in wanted:
                        return document
                    what = f"{answer.status} {document.get('detail', '')}"
                    assert answer.status == 503, what
            except (aiohttp.ClientError, TimeoutError) as error:
                what = type(error).__name__
            self.refusals[what] = self.refusals.get(what, 0) + 1
            await asyncio.sleep(AGAIN_S)

    async def ended(self, client, number, patience_s=PATIENCE_S):
        """The task's document once it has ended."""
        deadline = time.monotonic() + patience_s
        while True:
            url = self.urls[number % len(self.urls)]
            try:
                async with client.get(f"{url}/v1/tasks/{self.ids[number]}") as answer:
                    document = await answer.json()
                    if answer.status == 200 and document["status"] in {"succeeded", "failed", "canceled"}:
                        return document
            except (aiohttp.ClientError, TimeoutError):
                pass
            assert time.monotonic() < deadline, f"{number} has not ended: {document}"
            await asyncio.sleep(AGAIN_S)

    async def all_told(self, patience_s=PATIENCE_S):
        """Until a webhook has come for each task."""
        deadline = time.monotonic() + patience_s
        while missing := set(self.ids.values()) - self.told.keys():
            assert time.monotonic() < deadline, f"no webhook of {len(missing)} tasks"
            await asyncio.sleep(AGAIN_S)

    async def take(self, request):
        """A webhook."""
        task = (await request.json())["data"]["id"]
        self.told[task] = self.told.get(task, 0) + 1
        return web.Response(status=204)

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/", self.take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.hook = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_error):
        await self._runner.cleanup()
