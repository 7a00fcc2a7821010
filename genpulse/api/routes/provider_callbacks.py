"""The route of vendors' callbacks about jobs."""

from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.responses import encoded
from genpulse.lifecycle.provider_callback import receive_callback
from genpulse.provider import Callback

_REFUSALS: encoded.Described = {
    401: encoded.refusal(401) | {"description": "The vendor's signature is missing or wrong", "headers": {}},
    **{status: encoded.refusal(status) for status in (404, 422, 503)},
}

routes = encoded.router("service")


@routes.post(
    "/hooks/{provider}/{token}",
    name="take_notice",
    status_code=204,
    summary="Take a vendor's notice",
    response_class=Response,
    responses=encoded.described(204, "It was heard") | _REFUSALS,
)
async def take_callback(
    request: Request,
    provider: Annotated[str, Path(description="Name of the provider", max_length=64)],
    token: Annotated[str, Path(description="What the vendor was given with the job", max_length=200)],
) -> Response:
    """Let the job be polled at once. What the notice says is not believed, and so it needs no key."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    callback = Callback(headers, await request.body())
    await receive_callback(context_in(request.scope).services, provider, token, callback)
    return Response(status_code=204)
