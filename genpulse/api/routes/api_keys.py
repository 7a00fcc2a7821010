"""The routes of API keys, for callers with the scope `admin`."""

import logging
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.authentication import why_not
from genpulse.api.context import Context, caller_of, context_in
from genpulse.api.errors import AuthenticationRequired, BeyondOwnKey, InsufficientScope, OwnKey
from genpulse.api.requests import json_body
from genpulse.api.responses import encoded
from genpulse.api.schemas.api_keys import (
    ApiKeyDocument,
    ApiKeyList,
    CreatedKeyDocument,
    KeyChangeDocument,
    NewKeyDocument,
)
from genpulse.domain.keys.api_key import ApiKey, KeyState, Scope, Token, digest_of
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.key_grant import excess

routes = encoded.router("keys")

KEYS_PATH = "/v1/keys"
KEY_PATH = f"{KEYS_PATH}/{{key_id}}"
KeyId = Annotated[UUID, Path(description="The `id` of an API key")]
_log = logging.getLogger(__name__)


@routes.post(
    KEYS_PATH,
    status_code=201,
    summary="Create an API key",
    responses=encoded.described(
        201, "The key, with its secret this once", CreatedKeyDocument, [("Location", "Where the key is")]
    )
    | encoded.refusals(400, 413, 415, 422),
    openapi_extra={"requestBody": encoded.taken(NewKeyDocument)},
)
async def create_key(request: Request) -> Response:
    """Create an API key, and show its secret once.

    It gets no more than the key of this call has itself: scopes, limits and expiry. If the answer is lost, so is
    the secret: revoke the key, and create another.
    """
    context, caller = context_in(request.scope), await _admin_now(request)
    document = await json_body.read(request, NewKeyDocument)
    token = Token.new(context.services.environment.api_key_prefix)
    key = document.key(context.services.new_id(), token.hint, context.services.now())
    _refuse_excess(caller, key)
    await context.services.keys.add(key, digest_of(token.text))
    _log.info("%s created the API key %s: %s", _name(caller), key.id, document.model_dump_json(exclude_unset=True))
    shown = CreatedKeyDocument(**dict(await _shown(context, key)), key=token.text)
    headers = {"Location": f"{KEYS_PATH}/{key.id}", "Cache-Control": "no-store"}
    return encoded.json(shown, 201, headers)


@routes.get(
    KEYS_PATH,
    summary="List API keys",
    responses=encoded.described(200, "All keys, oldest first", ApiKeyList) | encoded.refusals(),
)
async def list_keys(request: Request) -> Response:
    """All API keys with what they have done today, oldest first, those that were revoked among them."""
    _admin(request)
    context = context_in(request.scope)
    keys = await context.services.keys.all()
    usages, now = await context.services.keys.usages([key.id for key in keys]), context.services.now()
    return encoded.json(ApiKeyList(data=[ApiKeyDocument.of(key, usages[key.id], now) for key in keys]))


@routes.get(
    KEY_PATH,
    summary="Look at an API key",
    responses=encoded.described(200, "The key", ApiKeyDocument) | encoded.refusals(404),
)
async def show_key(request: Request, key_id: KeyId) -> Response:
    """One API key, with what it has done today."""
    _admin(request)
    context = context_in(request.scope)
    return encoded.json(await _shown(context, await context.services.keys.get(str(key_id))))


@routes.patch(
    KEY_PATH,
    summary="Change an API key",
    responses=encoded.described(200, "The key as it is now", ApiKeyDocument)
    | encoded.refusals(400, 404, 409, 413, 415, 422),
    openapi_extra={"requestBody": encoded.taken(KeyChangeDocument)},
)
async def change_key(request: Request, key_id: KeyId) -> Response:
    """Change the name, the expiry or the limits of another API key. It holds within 10 seconds.

    No field gets more than the key of this call has itself. Tasks that are there keep what they were given.
    """
    context, caller = context_in(request.scope), await _admin_of_another(request, key_id)
    document, now = await json_body.read(request, KeyChangeDocument), context.services.now()

    def change(key: ApiKey) -> ApiKey:
        changed = document.changed(key, now)
        _refuse_excess(caller, changed, document.fields())
        return changed

    key = await context.services.keys.change(str(key_id), change)
    _log.info("%s changed the API key %s: %s", _name(caller), key_id, document.model_dump_json(exclude_unset=True))
    return encoded.json(await _shown(context, key))


@routes.delete(
    KEY_PATH,
    status_code=204,
    summary="Revoke an API key",
    response_class=Response,
    responses=encoded.described(204, "It is revoked, or was before") | encoded.refusals(404, 409),
)
async def revoke_key(request: Request, key_id: KeyId) -> Response:
    """Revoke another API key for good. Every API refuses it within 10 seconds; its tasks run on."""
    context, caller = context_in(request.scope), await _admin_of_another(request, key_id)
    await context.services.keys.revoke(str(key_id), context.services.now())
    _log.info("%s revoked the API key %s", _name(caller), key_id)
    return Response(status_code=204)


def _admin(request: Request) -> Caller:
    """The caller. Raises `InsufficientScope`."""
    caller = caller_of(request)
    if caller.key is not None and not caller.key.allows(Scope.ADMIN):
        raise InsufficientScope(Scope.ADMIN, sorted(caller.key.scopes))
    return caller


async def _admin_now(request: Request) -> Caller:
    """The caller with the key as it is at this moment: one that was revoked makes no other to take its place.

    Raises `AuthenticationRequired`, `InsufficientScope`, `DatabaseUnavailable`.
    """
    context, caller = context_in(request.scope), _admin(request)
    if caller.key is None:
        return caller
    key, now = await context.services.keys.get(str(caller.key.id)), context.services.now()
    if key.state(now) is not KeyState.ACTIVE:
        raise AuthenticationRequired(why_not(key, now))
    return Caller(key)


async def _admin_of_another(request: Request, key_id: UUID) -> Caller:
    """The same, whose own key is another one. Raises `OwnKey` besides."""
    caller = await _admin_now(request)
    if caller.key is not None and caller.key.id == key_id:
        raise OwnKey
    return caller


def _refuse_excess(caller: Caller, key: ApiKey, fields: Sequence[str] | None = None) -> None:
    """Raises `BeyondOwnKey` where a key gets more than the caller's has, in any field or in one of `fields`."""
    exceeding = [] if caller.key is None else excess(caller.key, key)
    refused = [field for field in exceeding if fields is None or field in fields]
    if refused:
        raise BeyondOwnKey(refused)


def _name(caller: Caller) -> str:
    return f"API key {caller.key.id}" if caller.key else "a call without an API key"


async def _shown(context: Context, key: ApiKey) -> ApiKeyDocument:
    return ApiKeyDocument.of(key, await context.services.keys.usage(key.id), context.services.now())
