"""By which a caller verifies messages about its tasks: OpenAI shows it on a page, we by a call."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in
from genpulse.api.door import DoorCall
from genpulse.api.responses.encoded import JsonResponse
from genpulse.dialects.openai.parts import Parts
from genpulse.lifecycle.webhooks.secrets import webhook_secret_of


class WebhookSecret:
    """The call `/v1/webhook_secret`."""

    def __init__(self, parts: Parts) -> None:
        del parts

    def calls(self) -> tuple[DoorCall, ...]:
        """It alone."""
        return (DoorCall("GET", "/v1/webhook_secret", self.show),)

    async def show(self, request: Request) -> Response:
        """The secret of the caller's key, for `OPENAI_WEBHOOK_SECRET`."""
        secret = await webhook_secret_of(context_in(request.scope).services.keys, caller_of(request))
        body = to_json({"object": "webhook_secret", "secret": secret})
        return JsonResponse(body, 200, {"Cache-Control": "no-store"})
