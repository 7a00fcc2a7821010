"""The routes of client tokens: what a web page may do for minutes, without an API key."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import Context, caller_of, context_in
from genpulse.api.requests import json_body
from genpulse.api.responses import encoded
from genpulse.api.schemas.client_tokens import (
    ClientTokenDocument,
    ClientTokenList,
    CreatedClientTokenDocument,
    NewClientTokenDocument,
)
from genpulse.domain.errors import UnknownClientToken
from genpulse.domain.keys.client_token import ClientToken
from genpulse.lifecycle import client_tokens

routes = encoded.router("keys")

CLIENT_TOKENS_PATH = "/v1/client_tokens"
CLIENT_TOKEN_PATH = f"{CLIENT_TOKENS_PATH}/{{token_id}}"
TokenId = Annotated[UUID, Path(description="The `id` of a client token")]
_KEPT = {"Cache-Control": "no-store"}


@routes.post(
    CLIENT_TOKENS_PATH,
    status_code=201,
    summary="Make a client token",
    responses=encoded.described(
        201,
        "The client token, with its secret this once",
        CreatedClientTokenDocument,
        [("Location", "Where the client token is")],
    )
    | encoded.refusals(400, 413, 415, 422),
    openapi_extra={"requestBody": encoded.taken(NewClientTokenDocument)},
)
async def create_client_token(request: Request) -> Response:
    """Let a web page or an app do a little of what this API key may, for minutes.

    Either it opens `tasks` that are there, or tasks of `models` are submitted by it, `max_tasks` at most and for
    `max_usd` at most. All of that counts for the API key, too, and for the end customer whom `metadata` names. It
    is good as long as the API key is.
    """
    context = context_in(request.scope)
    document = await json_body.read(request, NewClientTokenDocument)
    terms = document.request(context.options.upload_limit_bytes)
    token, secret = await client_tokens.create(context.services, caller_of(request), terms)
    shown = CreatedClientTokenDocument(**dict(await _shown(context, token)), token=secret.text)
    return encoded.json(shown, 201, {"Location": f"{CLIENT_TOKENS_PATH}/{token.id}", **_KEPT})


@routes.get(
    CLIENT_TOKENS_PATH,
    summary="List client tokens",
    responses=encoded.described(200, "Those that are good, newest first", ClientTokenList) | encoded.refusals(),
)
async def list_client_tokens(request: Request) -> Response:
    """The client tokens that this API key has made and that are good, newest first, 1,000 at most."""
    context = context_in(request.scope)
    services = context.services
    tokens = await services.keys.client_tokens.of(caller_of(request).owner, services.now())
    usages = await client_tokens.usages_of(services, tokens)
    return encoded.json(
        ClientTokenList(data=[ClientTokenDocument.of(token, usages[token.id]) for token in tokens]), headers=_KEPT
    )


@routes.get(
    CLIENT_TOKEN_PATH,
    summary="Look at a client token",
    responses=encoded.described(200, "The client token", ClientTokenDocument) | encoded.refusals(404),
)
async def show_client_token(request: Request, token_id: TokenId) -> Response:
    """One client token, with what was done by it. It may look at itself."""
    context = context_in(request.scope)
    return encoded.json(await _shown(context, await _token_for(request, token_id)), headers=_KEPT)


@routes.delete(
    CLIENT_TOKEN_PATH,
    status_code=204,
    summary="Revoke a client token",
    response_class=Response,
    responses=encoded.described(204, "It is revoked, or was before") | encoded.refusals(404),
)
async def revoke_client_token(request: Request, token_id: TokenId) -> Response:
    """Revoke a client token for good. Every API refuses it within 10 seconds; its tasks run on."""
    services = context_in(request.scope).services
    await _token_for(request, token_id)
    await services.keys.client_tokens.revoke(token_id, services.now())
    return Response(status_code=204)


async def _token_for(request: Request, token_id: UUID) -> ClientToken:
    """Raises `UnknownClientToken` also where it is somebody else's."""
    caller = caller_of(request)
    token = await context_in(request.scope).services.keys.client_tokens.get(token_id)
    is_own = caller.token.id == token_id if caller.token else caller.sees(token.owner)
    if not is_own:
        raise UnknownClientToken(token_id)
    return token


async def _shown(context: Context, token: ClientToken) -> ClientTokenDocument:
    usages = await client_tokens.usages_of(context.services, [token])
    return ClientTokenDocument.of(token, usages[token.id])
