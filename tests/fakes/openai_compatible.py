"""A server that speaks like OpenAI, as its client knows it (facts: wire contracts D.3; providers: openai_*)."""

import base64
import hashlib
import hmac
import time
import uuid
from typing import ClassVar

from aiohttp import web

from genpulse.provider import Callback
from genpulse.testing import KEY, Body, FakeServer, NoticeKind, OddAnswer, Oddity, Phase, Situation
from genpulse.testing.media import IN_THE_ANSWER

SECRET = "whsec_" + base64.b64encode(b"openais-own-secret-of-32-bytes!!").decode()


_BUSY = OddAnswer(429, Body.WORDS, {"retry-after-ms": "1000"}, "Rate limit reached", taken=False)


class FakeOpenAI(FakeServer):
    phases: ClassVar = {
        **dict.fromkeys(("draw", "speak", "film", "respond"), Phase.ORDER),
        **dict.fromkeys(("show_video", "show_response"), Phase.POLL),
        "cancel": Phase.CANCEL,
    }
    oddities: ClassVar = {**FakeServer.oddities, Situation.BUSY: Oddity(Phase.ORDER, _BUSY, times=1)}

    def __init__(self, key_header: str = "Authorization", key: str = f"Bearer {KEY}") -> None:
        super().__init__()
        self.key_header = key_header
        self._key = key
        self.videos: dict[str, dict] = {}
        self.bodies: list[dict] = []
        self.queries: list[dict] = []
        self.by_url = False

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/images/generations", self.draw)
        app.router.add_post("/images/edits", self.draw)
        app.router.add_post("/audio/speech", self.speak)
        app.router.add_post("/videos", self.film)
        app.router.add_get("/videos/{id}", self.show_video)
        app.router.add_get("/videos/{id}/content", self.output)
        app.router.add_delete("/videos/{id}", self.cancel)
        app.router.add_post("/responses", self.respond)
        app.router.add_get("/responses/{id}", self.show_response)
        app.router.add_post("/responses/{id}/cancel", self.cancel)
        app.router.add_get("/output/{id}", self.output)
        app.router.add_get("/models", self.models)

    def refusal(self, status: int, words: str) -> web.Response:
        """Refusals are `{"error": {message, type, param, code}}` [S]."""
        return _error(status, words, "rate_limit_exceeded" if status == 429 else "odd")

    async def _refused(self, request: web.Request) -> web.StreamResponse | None:
        self.queries.append(dict(request.query))
        if request.headers.get(self.key_header) != self._key or self.situation is Situation.BAD_KEY:
            return _error(401, "Incorrect API key provided", "invalid_api_key")
        match self.situation:
            case Situation.INVALID:
                return _error(400, "Invalid value: 'huge'", "invalid_value", param="size")
            case Situation.MODERATED if request.path != "/videos":
                # 400 with this code [T].
                return _error(400, "Your request was rejected by the safety system", "moderation_blocked")
            case Situation.NO_CREDIT:
                # A 429 that must not be tried again [M].
                return _error(429, "You exceeded your current quota", "insufficient_quota")
        return None

    async def draw(self, request: web.Request) -> web.StreamResponse:
        if refused := await self._refused(request):
            return refused
        if request.content_type == "application/json":
            self.bodies.append(await request.json())
        else:
            form = await request.post()
            self.bodies.append({name: _read(value) for name, value in form.items()})
        pictures = self._pictures()
        if self.situation is Situation.ODD_SHAPES:
            pictures = [None, *pictures, {"b64_json": None}, "x"]
        flags = {"has_nsfw_concepts": [True]} if self.situation is Situation.FLAGGED_OUTPUT else {}
        return web.json_response({"created": 1, "data": pictures, **flags})

    def _pictures(self) -> list[dict]:
        match self.situation:
            case Situation.NO_OUTPUT:
                return []
            case Situation.EMPTY_OUTPUT if not self.by_url:
                return [{"b64_json": ""}]
            case Situation.PERCENT_OUTPUT:
                return [{"url": url} for url in self.results("1")]
            case Situation.PARTIAL_OUTPUT if not self.by_url:
                return [{"b64_json": self.encoded()}, {"revised_prompt": "filtered"}]
        if self.by_url and self.situation not in IN_THE_ANSWER:
            return [{"url": url} for url in self.results("1")]
        return [{"b64_json": self.encoded()}]

    async def speak(self, request: web.Request) -> web.StreamResponse:
        if refused := await self._refused(request):
            return refused
        self.bodies.append(await request.json())
        match self.situation:
            case Situation.EMPTY_OUTPUT:
                return web.Response(body=b"", content_type="audio/mpeg")
            case Situation.NO_OUTPUT:
                return web.json_response({"status": "ok"})
        return web.Response(body=b"ID3" + bytes(100), content_type="audio/mpeg")

    async def film(self, request: web.Request) -> web.StreamResponse:
        if refused := await self._refused(request):
            return refused
        assert request.content_type == "multipart/form-data", "always a form, even without a file [S]"
        form = await request.post()
        self.bodies.append({name: _read(value) for name, value in form.items()})
        video_id = self.named(f"video_{uuid.uuid4().hex}")
        self.videos[video_id] = {"id": video_id, "object": "video", "status": "queued", "progress": 0}
        return web.json_response(self.videos[video_id])

    async def show_video(self, request: web.Request) -> web.StreamResponse:
        video = self.videos[request.match_info["id"]]
        match self.situation:
            case Situation.SLOW:
                video |= {"status": "in_progress", "progress": 10}
            case Situation.ODD_STATUS if self.times("odd", 2):
                video |= {"status": "warming"}
            case Situation.JOB_FAILED:
                video |= {"status": "failed", "error": {"code": "server_error", "message": "the node died"}}
            case Situation.MODERATED:
                video |= {"status": "failed", "error": {"code": "moderation_blocked", "message": "flagged"}}
            case _ if self.times(video["id"], 1):
                video |= {"status": "in_progress", "progress": 40}
            case _:
                video |= {"status": self.spelled("completed"), "progress": 100}
        return web.json_response(video, headers={"openai-poll-after-ms": "20"})

    async def respond(self, request: web.Request) -> web.StreamResponse:
        if refused := await self._refused(request):
            return refused
        self.bodies.append(await request.json())
        return web.json_response({"id": self.named(f"resp_{uuid.uuid4().hex}"), "status": "queued"})

    async def show_response(self, request: web.Request) -> web.StreamResponse:
        response_id = request.match_info["id"]
        if self.situation is Situation.ODD_STATUS and self.times("odd", 2):
            return web.json_response({"id": response_id, "status": "warming"})
        if self.situation is Situation.SLOW or self.times(response_id, 1):
            return web.json_response({"id": response_id, "status": "in_progress"})
        if self.situation is Situation.JOB_FAILED:
            error = {"code": "server_error", "message": "the model failed"}
            return web.json_response({"id": response_id, "status": "failed", "error": error})
        self.tell_done(response_id)
        picture = {"type": "image_generation_call", "result": self.encoded()}
        output = [] if self.situation is Situation.NO_OUTPUT else [{"type": "reasoning"}, picture]
        if self.situation is Situation.PARTIAL_OUTPUT:
            output.append({"type": "image_generation_call", "result": None, "status": "failed"})
        if self.situation is Situation.ODD_SHAPES:
            output = [None, "x", {"type": None}, *output]
        if self.situation is Situation.FLAGGED_OUTPUT:
            picture["is_nsfw"] = True
        return web.json_response({"id": response_id, "status": self.spelled("completed"), "output": output})

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        self.canceled += 1
        return web.json_response({"id": request.match_info["id"], "deleted": True})

    async def models(self, _: web.Request) -> web.StreamResponse:
        if self.situation is Situation.BAD_KEY:
            return _error(401, "Incorrect API key provided", "invalid_api_key")
        return web.json_response({"object": "list", "data": [{"id": "flux"}]})

    def notice(self, kind: NoticeKind) -> Callback:
        """Standard Webhooks [S]."""
        moment = str(int(time.time()) - (3600 if kind is NoticeKind.OLD else 0))
        body = b'{"type": "response.completed", "data": {"id": "resp_1"}}'
        secret = base64.b64decode(SECRET.partition("_")[2])
        digest = hmac.new(secret, b".".join((b"evt_1", moment.encode(), body)), hashlib.sha256).digest()
        signature = base64.b64encode(b"\0" * 32 if kind is NoticeKind.BAD else digest).decode()
        headers = {"webhook-id": "evt_1", "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}
        return Callback(headers, body)


def _read(value: object) -> object:
    return value.file.read() if isinstance(value, web.FileField) else value


def _error(status: int, message: str, code: str, param: str | None = None) -> web.Response:
    kind = "invalid_request_error" if 400 <= status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": param, "code": code}
    return web.json_response({"error": error}, status=status)
