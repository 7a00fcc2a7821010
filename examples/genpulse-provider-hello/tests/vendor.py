"""Plays the vendor: over real HTTP, in any situation that the kit asks for.

By hand: `python tests/vendor.py 9000`.
"""

import hashlib
import hmac
import sys
import time
import uuid
from typing import ClassVar
from urllib.parse import quote

from aiohttp import web

from genpulse.provider import Notice
from genpulse.testing import KEY, FakeServer, NoticeKind, Phase, Situation

SECRET = "shared-with-the-vendor"
_REFUSALS = {
    Situation.INVALID: (422, {"kind": "input", "message": "name: there is nobody of that name"}),
    Situation.MODERATED: (400, {"kind": "moderation", "message": "we do not greet him"}),
    Situation.NO_CREDIT: (402, {"kind": "credit", "message": "the account is empty"}),
}


class HelloVendor(FakeServer):
    """Greetings by their id.

    With `phases` the kit knows what each request is for, and lets this vendor answer as oddly as any other: busy,
    down, cut off, in HTML, redirected, too late.
    """

    phases: ClassVar = {"create": Phase.ORDER, "listed": Phase.FIND, "show": Phase.POLL, "stop": Phase.CANCEL}

    def __init__(self) -> None:
        super().__init__()
        self.greetings: dict[str, dict] = {}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/greetings", self.create)
        app.router.add_get("/v1/greetings", self.listed)
        app.router.add_get("/v1/greetings/{id}", self.show)
        app.router.add_delete("/v1/greetings/{id}", self.stop)
        app.router.add_get("/v1/account", self.account)
        app.router.add_get("/pictures/{id}", self.output)

    def _refuses_key(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") != f"Bearer {KEY}" or self.situation is Situation.BAD_KEY

    async def create(self, request: web.Request) -> web.StreamResponse:
        if self._refuses_key(request):
            return web.json_response({"error": "unknown key"}, status=401)
        if refusal := _REFUSALS.get(self.situation):
            return web.json_response({"error": refusal[1]}, status=refusal[0])
        greeting = {**await request.json(), "id": self.named(uuid.uuid4().hex)}
        self.greetings[greeting["id"]] = greeting
        return web.json_response(greeting, status=201)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query["reference"]
        found = [one for one in self.greetings.values() if one["reference"] == wanted]
        return web.json_response({"greetings": found})

    async def show(self, request: web.Request) -> web.StreamResponse:
        greeting = self.greetings.get(request.match_info["id"])
        if greeting is None:
            return web.json_response({"error": "no such greeting"}, status=404)
        return web.json_response({**greeting, **self._state(greeting)})

    def _state(self, greeting: dict) -> dict:
        if self.situation is Situation.JOB_FAILED:
            return {"status": "failed", "error": "the pen broke in the middle of the name"}
        if self.situation is Situation.ODD_STATUS and self.times("odd", 2):
            return {"status": "sharpening"}
        if self.situation is Situation.SLOW or self.times(greeting["id"], 1):
            return {"status": "drawing", "percent": 40}
        self.tell_done(greeting["id"])
        done = self.spelled("done")
        return {
            "status": done,
            "url": None if self.situation is Situation.NO_OUTPUT else self._url(greeting["id"]),
        }

    def _url(self, greeting_id: str) -> str:
        """A picture of our own unless the situation is about others; `results` has those."""
        if self.situation is Situation.WELL:
            return f"{self.base_url}/pictures/{quote(greeting_id, safe='')}"
        return self.results(greeting_id)[0]

    async def stop(self, request: web.Request) -> web.StreamResponse:
        self.canceled += 1
        self.greetings.pop(request.match_info["id"], None)
        return web.Response(status=204)

    async def account(self, request: web.Request) -> web.StreamResponse:
        if self._refuses_key(request):
            return web.json_response({"error": "unknown key"}, status=401)
        return web.json_response({"name": "hello@example.com"})

    def notice(self, kind: NoticeKind) -> Notice:
        sent_at = str(int(time.time()) - (3600 if kind is NoticeKind.OLD else 0))
        body = b'{"status": "done"}'
        secret = b"somebody else's" if kind is NoticeKind.BAD else SECRET.encode()
        signature = hmac.new(secret, sent_at.encode() + body, hashlib.sha256).hexdigest()
        return Notice({"x-hello-time": sent_at, "x-hello-signature": signature}, body)


if __name__ == "__main__":
    vendor, app, port = HelloVendor(), web.Application(), int(sys.argv[1])
    vendor.base_url = f"http://127.0.0.1:{port}"
    vendor.add_routes(app)
    web.run_app(app, host="127.0.0.1", port=port)
