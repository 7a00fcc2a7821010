"""Files that stand in arguments: as addresses of ours, and as `data:` URIs."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from uuid import UUID, uuid5

from starlette.requests import Request

from genpulse.api.context import caller_of, context_in, links_for
from genpulse.domain.assets.asset import REFERENCE
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.submission.file_reference import asset_named
from genpulse.lifecycle.upload import upload_granted
from genpulse.provider.encoded import data_uri

INLINE_BYTES = 16 << 10
"""Characters up to which a `data:` URI stays where it is."""
_NAMESPACE = UUID("6f1d7c50-9f1c-4f0e-8d2a-1e0a6b7c2d43")
_CHUNK = 3 << 18
_GRANTED_S = 600


async def with_references(request: Request, arguments: JsonObject, key: str) -> JsonObject:
    """The arguments, in which our own addresses and long `data:` URIs are references to assets.

    A URI becomes the same asset each time that it comes under the same idempotency key. Raises as
    `lifecycle.upload.upload`.
    """
    files = _Files(request, key)
    return {name: await files.taken(value) for name, value in arguments.items()}


class _Files:
    def __init__(self, request: Request, key: str) -> None:
        self._request = request
        self._key = key
        self._base = links_for(request).base

    async def taken(self, value: JsonValue) -> JsonValue:
        match value:
            case str():
                return await self._text(value)
            case Mapping():
                return {name: await self.taken(inner) for name, inner in value.items()}
            case list():
                return [await self.taken(inner) for inner in value]
            case _:
                return value

    async def _text(self, text: str) -> str:
        if text.startswith(("http://", "https://")):
            asset_id = asset_named(text, self._base)
            return text if asset_id is None else f"{REFERENCE}{asset_id}"
        if len(text) <= INLINE_BYTES or text[:5].lower() != "data:":
            return text
        return await self._kept(text)

    async def _kept(self, uri: str) -> str:
        """A reference to what is encoded; the URI itself where it cannot be read, for whoever checks the input."""
        try:
            _, content = data_uri(uri)
        except ValueError:
            return uri
        context, owner = context_in(self._request.scope), caller_of(self._request).owner
        digest = hashlib.sha256(content).hexdigest()
        asset_id = uuid5(_NAMESPACE, f"{owner}\n{self._key}\n{digest}")
        expires_s = int(context.services.now().timestamp()) + _GRANTED_S
        grant = UploadGrant(asset_id, owner, context.options.upload_limit_bytes, expires_s)
        await upload_granted(
            context.services, grant, _chunks(content), limit_bytes=grant.max_bytes, still_granted=_is_granted
        )
        return f"{REFERENCE}{asset_id}"


async def _is_granted() -> None:
    """The caller was told in this very call."""


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]
