"""fal's queue, as its clients know it (facts: wire contracts D.2; providers: fal)."""

import base64
import hashlib
import time
import uuid
from typing import ClassVar

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from genpulse.provider import Callback
from genpulse.testing import KEY, FakeServer, NoticeKind, Phase, Situation


class FakeFal(FakeServer):
    phases: ClassVar = {
        "submit": Phase.ORDER,
        "status": Phase.POLL,
        "result": Phase.COLLECT,
        "cancel": Phase.CANCEL,
    }

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[str, dict] = {}
        self.webhooks: list[str | None] = []
        self.asked_paths: set[str] = set()
        self._signer = Ed25519PrivateKey.generate()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/.well-known/jwks.json", self.jwks)
        app.router.add_get("/output/{id}", self.output)
        # A request is asked for under owner/alias, whatever path it was submitted to [S].
        app.router.add_get("/fal-ai/flux/requests/{id}/status", self.status)
        app.router.add_get("/fal-ai/flux/requests/{id}", self.result)
        app.router.add_put("/fal-ai/flux/requests/{id}/cancel", self.cancel)
        app.router.add_post("/{app:.+}", self.submit)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Key {KEY}" or self.situation is Situation.BAD_KEY:
            return _refused(401, "Authentication is required to access this application")
        match self.situation:
            case Situation.INVALID:
                return _refused(422, [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}])
            case Situation.NO_CREDIT:
                return _refused(402, "Exhausted balance. Top up your balance.")
        self.webhooks.append(request.query.get("fal_webhook"))
        return web.json_response(self._take(await request.json()))

    def refusal(self, status: int, words: str) -> web.Response:
        """A text, or where it is an input that does not fit, a list of what is wrong [S]."""
        return _refused(status, words)

    def _take(self, arguments: dict) -> dict:
        request_id = self.named(str(uuid.uuid4()))
        self.requests[request_id] = arguments
        url = f"https://queue.fal.run/fal-ai/flux/requests/{request_id}"
        return {
            "request_id": request_id,
            "response_url": url,
            "status_url": f"{url}/status",
            "cancel_url": f"{url}/cancel",
            "status": "IN_QUEUE",
            "queue_position": 0,
        }

    async def status(self, request: web.Request) -> web.StreamResponse:
        self.asked_paths.add(request.path.rpartition("/requests/")[0])
        request_id = request.match_info["id"]
        if self.situation is Situation.BAD_KEY:
            return _refused(401, "Authentication is required to access this application")
        if request_id not in self.requests:
            return _refused(404, "Request not found")
        if self.situation is Situation.ODD_STATUS and self.times("odd", 2):
            return web.json_response({"status": "WARMING", "request_id": request_id}, status=202)
        if self.times(request_id, 1):
            return web.json_response({"status": "IN_QUEUE", "queue_position": 3}, status=202)
        if self.situation is Situation.SLOW:
            logs = [{"message": "step 1", "level": "INFO", "source": "USER", "timestamp": ""}]
            return web.json_response({"status": "IN_PROGRESS", "logs": logs}, status=202)
        # A request that failed is COMPLETED too [S].
        return web.json_response(
            {"status": self.spelled("COMPLETED"), "logs": None, "metrics": {"inference_time": 1.2}}
        )

    async def result(self, request: web.Request) -> web.StreamResponse:
        request_id = request.match_info["id"]
        match self.situation:
            case Situation.MODERATED:
                detail = {"loc": ["body", "prompt"], "msg": "Flagged", "type": "content_policy_violation"}
                return _refused(422, [detail])
            case Situation.JOB_FAILED:
                headers = {"X-Fal-Error-Type": "internal_error"}
                return _refused(500, "The runner crashed while it worked on the request", headers)
            case Situation.NO_OUTPUT:
                return web.json_response({"images": []})
            case Situation.NUMBERS_OUTPUT:
                return web.json_response({"nsfw_probability": 0.93})
        images = [{"url": url, "content_type": "image/png", "width": 1} for url in self.results(request_id)]
        if self.situation is Situation.ODD_SHAPES:
            return web.json_response({"images": [None, *images, {"url": None}, 3], "seed": None, "more": [[], {}]})
        flags = {"has_nsfw_concepts": [True]} if self.situation is Situation.FLAGGED_OUTPUT else {}
        return web.json_response({"images": images, "seed": 7, **flags})

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        self.canceled += 1
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    async def jwks(self, _: web.Request) -> web.StreamResponse:
        public = self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(public).decode().rstrip("=")
        return web.json_response({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]})

    def notice(self, kind: NoticeKind) -> Callback:
        """Ed25519 over request, user, timestamp and the digest of the body [D]."""
        moment = str(int(time.time()) - (3600 if kind is NoticeKind.OLD else 0))
        body = b'{"request_id": "r", "status": "OK", "payload": {}}'
        message = "\n".join(("r", "u", moment, hashlib.sha256(body).hexdigest())).encode()
        signed = b"\0" * 64 if kind is NoticeKind.BAD else self._signer.sign(message)
        headers = {
            "x-fal-webhook-request-id": "r",
            "x-fal-webhook-user-id": "u",
            "x-fal-webhook-timestamp": moment,
            "x-fal-webhook-signature": signed.hex(),
        }
        return Callback(headers, body)


def _refused(status: int, detail: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(
        {"detail": detail}, status=status, headers={"X-Fal-Request-Id": "r", **(headers or {})}
    )
