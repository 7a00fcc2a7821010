"""The public keys by which receivers check webhook messages."""

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.dialects.fal.queue import answer_json
from genpulse.lifecycle.webhooks.message_keys import json_web_keys

_KEPT = {"cache-control": "public, max-age=3600"}


async def show_keys(request: Request) -> Response:
    """The keys as a JWK Set. Raises `DatabaseUnavailable`."""
    return answer_json(await json_web_keys(context_in(request.scope).services.keys), headers=_KEPT)
