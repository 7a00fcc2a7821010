"""Large files in several parts, each brought by the signed address of the whole.

A part is an asset of its own until all are there: whichever process takes one, another can put them together.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid5

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.upload_signer import AGAIN, UploadSigner
from genpulse.api.context import context_in
from genpulse.api.errors import InvalidSignature
from genpulse.api.requests import json_body, raw_body
from genpulse.dialects.fal.queue import answer_json
from genpulse.domain.assets.asset import Asset
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.errors import BadInput, ContentTooLarge, UnknownAsset
from genpulse.domain.json.value import JsonValue
from genpulse.lifecycle.removal.deletion import delete_asset
from genpulse.lifecycle.upload import upload_granted
from genpulse.ports import Services

MOST_PARTS = 10_000


async def bring_part(request: Request) -> Response:
    """Keep one part. Raises as `lifecycle.upload.upload_granted`, and `InvalidSignature`, `BadInput`."""
    context, grant = context_in(request.scope), await _grant_of(request)
    number = _number(request.path_params["number"])
    part = replace(grant, asset_id=_part_id(grant.asset_id, number))
    with context.uploads.alone(part.asset_id):
        upload = await upload_granted(
            context.services,
            part,
            raw_body.file_in(request),
            limit_bytes=context.options.upload_limit_bytes,
            still_granted=partial(context.authenticator.granted_by, grant.owner),
        )
    etag = f'"{upload.asset.content.sha256}"'
    return answer_json({"partNumber": number, "etag": etag}, headers={"etag": etag})


async def complete(request: Request) -> Response:
    """Put the parts together: the whole becomes the asset. Raises as above, and `UnknownAsset`."""
    context, grant = context_in(request.scope), await _grant_of(request)
    numbers = _numbers(json_body.parsed(await request.body()))
    services, limit_bytes = context.services, min(grant.max_bytes, context.options.upload_limit_bytes)
    with context.uploads.alone(grant.asset_id):
        if await _is_there(services, grant.asset_id):
            return answer_json({"status": "completed"})
        parts = [await services.store.asset(_part_id(grant.asset_id, number)) for number in numbers]
        if sum(part.content.size for part in parts) > limit_bytes:
            raise ContentTooLarge(limit_bytes)
        await upload_granted(
            services,
            grant,
            _bytes_of(services, parts),
            limit_bytes=limit_bytes,
            still_granted=partial(context.authenticator.granted_by, grant.owner),
        )
    for part in parts:
        with suppress(UnknownAsset):
            await delete_asset(services, part.id, None)
    return answer_json({"status": "completed"})


async def _is_there(services: Services, asset_id: UUID) -> bool:
    try:
        await services.store.asset(asset_id)
    except UnknownAsset:
        return False
    return True


async def _bytes_of(services: Services, parts: Sequence[Asset]) -> AsyncIterator[bytes]:
    for part in parts:
        content = part.content
        async for chunk in services.storage.read(content.key, 0, content.size, sha256=content.sha256):
            yield chunk


async def _grant_of(request: Request) -> UploadGrant:
    """Raises `InvalidSignature`, `UrlExpired`, `AuthenticationRequired`, `DatabaseUnavailable`."""
    context = context_in(request.scope)
    try:
        asset_id = UUID(str(request.path_params["upload_id"]))
    except ValueError:
        raise InvalidSignature(AGAIN) from None
    signer = UploadSigner(await context.services.keys.signing_secret())
    signature = request.query_params.get("signature", "")
    grant = signer.read(asset_id, signature, context.services.now().timestamp())
    await context.authenticator.granted_by(grant.owner)
    return grant


def _part_id(asset_id: UUID, number: int) -> UUID:
    return uuid5(asset_id, str(number))


def _numbers(document: JsonValue) -> Sequence[int]:
    """The numbers of the parts in their order. Raises `BadInput`."""
    parts = document.get("parts") if isinstance(document, dict) else None
    if not isinstance(parts, list) or not 0 < len(parts) <= MOST_PARTS:
        raise BadInput(f"The body has no list `parts` with 1 to {MOST_PARTS:,} parts.")
    numbers = [_number(part.get("partNumber") if isinstance(part, dict) else None) for part in parts]
    if len(set(numbers)) < len(numbers):
        raise BadInput("A part is named twice.")
    return sorted(numbers)


def _number(value: object) -> int:
    """Raises `BadInput`."""
    word = str(value)
    if not (word.isascii() and word.isdigit() and 0 < int(word[:6]) <= MOST_PARTS):
        raise BadInput(f"A part has no number from 1 to {MOST_PARTS:,}: {word[:40]!r}.")
    return int(word)
