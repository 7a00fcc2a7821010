"""Replicate, as its clients know it (facts: wire contracts D.1; providers: replicate)."""

import base64
import hashlib
import hmac
import time
import uuid
from typing import ClassVar

from aiohttp import web

from genpulse.provider import Callback
from genpulse.testing import KEY, FakeServer, NoticeKind, Phase, Situation

SECRET = "whsec_" + base64.b64encode(b"replicates-own-secret-of-32-bytes").decode()


class FakeReplicate(FakeServer):
    phases: ClassVar = {"create": Phase.ORDER, "show": Phase.POLL, "cancel": Phase.CANCEL}
    own_result_path = "/v1/files/"

    def __init__(self) -> None:
        super().__init__()
        self.predictions: dict[str, dict] = {}
        self.uploads: list[bytes] = []
        self.output_schema: dict | None = {"type": "array", "items": {"type": "string", "format": "uri"}}
        self.asked_models: list[str] = []

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/predictions", self.create)
        app.router.add_post("/v1/models/{owner}/{name}/predictions", self.create)
        app.router.add_get("/v1/predictions/{id}", self.show)
        app.router.add_post("/v1/predictions/{id}/cancel", self.cancel)
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/webhooks/default/secret", self.secret)
        app.router.add_get("/output/{id}", self.output)
        app.router.add_get("/v1/account", self.account)
        app.router.add_get("/v1/models/{owner}/{name}", self.model)
        app.router.add_get("/v1/models/{owner}/{name}/versions/{version}", self.model)

    async def create(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}" or self.situation is Situation.BAD_KEY:
            # RFC 7807, as all refusals [S].
            return _problem(401, "You did not pass a valid authentication token")
        match self.situation:
            case Situation.INVALID:
                return _problem(422, "- input.prompt: prompt is required")
            case Situation.NO_CREDIT:
                # 402 for billing is unsure [M].
                return _problem(402, "You have insufficient credit to run this model")
        return web.json_response(self._take(await request.json()), status=201)

    def refusal(self, status: int, words: str) -> web.Response:
        """RFC 7807 [S]; with a good status it is a prediction that says what went wrong."""
        return _problem(status, words) if status >= 400 else web.json_response({"error": words}, status=status)

    def _take(self, body: dict) -> dict:
        job_id = self.named(uuid.uuid4().hex[:26])
        prediction = {
            "id": job_id,
            "status": "starting",
            "input": body["input"],
            "version": body.get("version"),
            "webhook": body.get("webhook"),
            "output": None,
            "error": None,
            "logs": "",
            "urls": {"get": f"{self.base_url}/v1/predictions/{job_id}"},
        }
        self.predictions[job_id] = prediction
        return prediction

    async def show(self, request: web.Request) -> web.StreamResponse:
        prediction = self.predictions.get(request.match_info["id"])
        if prediction is None:
            return _problem(404, "Prediction not found")
        return web.json_response(self._went_on(prediction))

    def _went_on(self, prediction: dict) -> dict:
        match self.situation:
            case Situation.SLOW:
                return {**prediction, "status": "processing", "logs": " 10%|#         | 1/10"}
            case Situation.ODD_STATUS if self.times("odd", 2):
                return {**prediction, "status": "warming"}
            case Situation.JOB_FAILED:
                return {**prediction, "status": "failed", "error": "CUDA error: device-side assert triggered"}
            case Situation.MODERATED:
                return {**prediction, "status": "failed", "error": "NSFW content detected. Try another prompt."}
        if self.times(prediction["id"], 1):
            return {**prediction, "status": "processing", "logs": " 40%|####      | 4/10"}
        self.tell_done(prediction["id"])
        return {**prediction, "status": self.spelled("succeeded"), "output": self._result(prediction)}

    def _result(self, prediction: dict) -> object:
        if self.situation is Situation.NO_OUTPUT:
            return []
        if prediction["input"].get("as_text"):
            return ["a fox ", "at dawn"]
        if self.situation is Situation.NUMBERS_OUTPUT:
            return {"nsfw_probability": 0.93}
        urls = self.results(prediction["id"])
        if self.situation is Situation.ODD_SHAPES:
            return [None, *urls, "", 3, [[]]]
        if self.situation is Situation.FLAGGED_OUTPUT:
            return {"image": urls[0], "nsfw_content_detected": [True]}
        return urls

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        self.canceled += 1
        return web.json_response({**self.predictions[request.match_info["id"]], "status": "canceled"})

    async def upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.uploads.append(form["content"].file.read())
        return web.json_response({"id": "f1", "urls": {"get": f"{self.base_url}/v1/files/f1"}}, status=201)

    async def model(self, request: web.Request) -> web.StreamResponse:
        """The schema stands in a version, which a model holds as its latest one [S]."""
        self.asked_models.append(request.path)
        if self.output_schema is None:
            return _problem(404, "The requested resource could not be found.")
        version = {"id": "abc123", "openapi_schema": {"components": {"schemas": {"Output": self.output_schema}}}}
        return web.json_response(version if "version" in request.match_info else {"latest_version": version})

    async def account(self, _: web.Request) -> web.StreamResponse:
        if self.situation is Situation.BAD_KEY:
            return _problem(401, "Invalid token")
        return web.json_response({"type": "organization", "username": "acme"})

    async def secret(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"key": SECRET})

    def notice(self, kind: NoticeKind) -> Callback:
        """Standard Webhooks [S]: HMAC-SHA256 over id.timestamp.body."""
        moment = str(int(time.time()) - (3600 if kind is NoticeKind.OLD else 0))
        body = b'{"id": "x", "status": "succeeded"}'
        secret = base64.b64decode(SECRET.partition("_")[2])
        digest = hmac.new(secret, b".".join((b"msg_1", moment.encode(), body)), hashlib.sha256).digest()
        signature = base64.b64encode(b"\0" * 32 if kind is NoticeKind.BAD else digest).decode()
        headers = {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}
        return Callback(headers, body)


def _problem(status: int, detail: str) -> web.Response:
    body = {"title": "Refused", "detail": detail, "status": status}
    return web.json_response(body, status=status, content_type="application/problem+json")
