"""Assets: what they are, and their bytes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import asset_for, context_in, links_for
from genpulse.api.errors import AssetGone
from genpulse.api.requests import byte_range
from genpulse.api.requests.byte_range import ByteRange
from genpulse.api.responses import encoded
from genpulse.api.responses.content_disposition import disposition
from genpulse.api.responses.file_part import FilePart
from genpulse.api.responses.streams import Stream
from genpulse.api.schemas.tasks.documents import KeptAssetDocument
from genpulse.api.server.file_sender import file_sender_in
from genpulse.domain.assets.asset import Asset
from genpulse.domain.assets.thumbnail import THUMBNAIL_TYPE, ThumbnailWidth
from genpulse.domain.errors import StorageLost
from genpulse.ports import Storage

ASSET_PATH = "/v1/assets/{asset_id}"
CONTENT_PATH = f"{ASSET_PATH}/content"

SENT_BY_ITSELF = 1 << 16
"""A part with more bytes than these is sent by the system, where it can; fewer are read faster."""

_HEADERS = (
    ("ETag", "The SHA-256 of the content, in quotes"),
    ("Accept-Ranges", "`bytes`"),
    ("Content-Disposition", "`inline` for pictures, video and sound, else `attachment`"),
)
_CONTENT_RANGE = ("Content-Range", "Which bytes these are, and of how many")
_CONTENT = {"schema": {"type": "string", "format": "binary"}}
_BYTES = {"application/octet-stream": _CONTENT, "*/*": _CONTENT}
"""The first is what generators of clients know bytes by; the second is the truth."""
_ASKED = {
    "Range": "One range, as in `bytes=0-1023`; several get the whole content.",
    "If-Range": "An ETag: the range is sent only when the content is still that one.",
    "If-None-Match": "ETags of what the client has already.",
}
_PARAMETERS = [
    {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}
    for name, description in _ASKED.items()
] + [encoded.EXPIRES]

AssetId = Annotated[UUID, Path(description="The `id` of an asset")]
_OneOfFew = WithJsonSchema({"type": "integer", "enum": [int(width) for width in ThumbnailWidth]})
Width = Annotated[
    Annotated[ThumbnailWidth, _OneOfFew] | None,
    Query(
        description="The width in pixels of a thumbnail, in place of the asset itself: a WebP, never wider than"
        " the asset, of a video an early frame. It has an `ETag` and no ranges."
    ),
]

routes = encoded.router("assets")


@routes.get(
    ASSET_PATH,
    summary="Look at an asset",
    responses=encoded.described(200, "The asset", KeptAssetDocument) | encoded.refusals(404),
)
async def show_asset(request: Request, asset_id: AssetId) -> Response:
    """What is known about an asset, without its bytes."""
    asset = await asset_for(request, asset_id)
    return encoded.json(KeptAssetDocument.of(asset, links_for(request)))


@routes.head(CONTENT_PATH, include_in_schema=False)
@routes.get(
    CONTENT_PATH,
    summary="Fetch an asset's bytes",
    response_class=Response,
    responses=encoded.described(200, "The content", _BYTES, _HEADERS)
    | encoded.described(206, "The range that was asked for", _BYTES, (*_HEADERS, _CONTENT_RANGE))
    | encoded.described(304, "The client has this content already", headers=_HEADERS)
    | encoded.refusals(404, 410, 416, 422),
    openapi_extra={"parameters": _PARAMETERS},
)
async def fetch_content(request: Request, asset_id: AssetId, w: Width = None) -> Response:
    """The bytes of an asset, or of a thumbnail of it. They never change."""
    asset = await asset_for(request, asset_id)
    if w is not None:
        return await _thumbnail(request, asset, w)
    return await _content(request, asset)


async def show_content(request: Request) -> Response:
    """The bytes of the asset itself; the path has its id."""
    return await _content(request, await asset_for(request, UUID(request.path_params["asset_id"])))


async def _content(request: Request, asset: Asset) -> Response:
    headers, etag = _headers(asset), f'"{asset.content.sha256}"'
    if byte_range.etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    requested_range = _range(request, etag, asset.content.size)
    part = requested_range or ByteRange(0, asset.content.size)
    headers["Content-Length"] = str(part.end - part.start)
    if requested_range is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{asset.content.size}"
    status, media_type = 206 if requested_range else 200, asset.content.media_type
    if request.method == "HEAD" or part.end == part.start:
        return Response(b"", status, headers, media_type)
    storage = context_in(request.scope).services.storage
    sender = file_sender_in(request.scope) if part.end - part.start > SENT_BY_ITSELF else None
    if sender is not None and (checked := await storage.checked_file(asset.content)) is not None:
        return FilePart(checked, (part.start, part.end), sender, status, headers, media_type)
    chunks = _read(storage, asset, part)
    first = await anext(chunks)
    if len(first) == part.end - part.start:
        await chunks.aclose()
        return Response(first, status, headers, media_type)
    return Stream(_begun(first, chunks), status, headers, media_type)


async def _thumbnail(request: Request, asset: Asset, width: ThumbnailWidth) -> Response:
    """The thumbnail as a whole; it is made where there is none yet."""
    thumbnails = context_in(request.scope).thumbnails
    thumbnails.check(asset)
    headers = _shown(asset, f'"{asset.content.sha256}-w{width}"', THUMBNAIL_TYPE)
    if byte_range.etag_matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        content = await thumbnails.get(asset, width)
    except StorageLost as error:
        raise AssetGone(asset.id, str(error)) from error
    headers["Content-Length"] = str(len(content))
    return Response(b"" if request.method == "HEAD" else content, 200, headers, THUMBNAIL_TYPE)


def _headers(asset: Asset) -> dict[str, str]:
    shown = _shown(asset, f'"{asset.content.sha256}"', asset.content.media_type)
    return {"Accept-Ranges": "bytes", **shown}


def _shown(asset: Asset, etag: str, media_type: str) -> dict[str, str]:
    """What goes with the bytes: they are somebody's, and a browser must not run them."""
    return {
        "ETag": etag,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": disposition(media_type, str(asset.id)),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }


def _range(request: Request, etag: str, size: int) -> ByteRange | None:
    only_if = request.headers.get("if-range")
    if only_if is not None and only_if.strip() != etag:
        return None
    return byte_range.parse(request.headers.get("range"), size)


async def _begun(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The chunks, of which the first is there: bytes that cannot be had are told before the response begins."""
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk


async def _read(storage: Storage, asset: Asset, part: ByteRange) -> AsyncGenerator[bytes, None]:
    content = asset.content
    sha256 = content.sha256 if part == ByteRange(0, content.size) else ""
    try:
        async for chunk in storage.read(content.key, part.start, part.end, sha256=sha256):
            yield chunk
    except StorageLost as error:
        raise AssetGone(asset.id, str(error)) from error
