"""Signed addresses by which one file is brought without an API key."""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from uuid import UUID

from genpulse.api.errors import InvalidSignature, UrlExpired
from genpulse.domain.assets.upload_grant import UploadGrant

AGAIN = "Ask whoever gave it to you for a fresh address."
_FORM = b"genpulse upload 1"
_CONTENT = struct.Struct(">16sqq")
"""The API key's id, how many bytes, and the second at which it runs out; the media type follows."""
_NOBODY = bytes(16)
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class UploadSigner:
    """Signs with HMAC-SHA256. The signature carries what it grants, but for the asset's id, which is in the path.

    `secret` may be the one that signs other addresses: none of those is taken here.
    """

    secret: bytes = field(repr=False)

    def write(self, grant: UploadGrant) -> str:
        """The signature, in letters that need no quoting in a URL."""
        owner = UUID(grant.owner).bytes if grant.owner else _NOBODY
        content = _CONTENT.pack(owner, grant.max_bytes, grant.expires_s) + grant.media_type.encode("ascii")
        return _text(content + self._digest(grant.asset_id, content))

    def read(self, asset_id: UUID, text: str, now_s: float) -> UploadGrant:
        """What it grants. Raises `InvalidSignature`, `UrlExpired`."""
        raw = _raw(text)
        content, digest = raw[:-_DIGEST_BYTES], raw[-_DIGEST_BYTES:]
        if not hmac.compare_digest(digest, self._digest(asset_id, content)):
            raise InvalidSignature(AGAIN)
        owner, max_bytes, expires_s = _CONTENT.unpack_from(content)
        if expires_s <= now_s:
            raise UrlExpired(expires_s, AGAIN)
        media_type = content[_CONTENT.size :].decode("ascii")
        return UploadGrant(
            asset_id, "" if owner == _NOBODY else str(UUID(bytes=owner)), max_bytes, expires_s, media_type
        )

    def _digest(self, asset_id: UUID, content: bytes) -> bytes:
        return hmac.digest(self.secret, b"\0".join([_FORM, asset_id.bytes, content]), hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    """The bytes of what `_text` wrote, to the last bit. Raises `InvalidSignature`."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidSignature(AGAIN) from None
    if _text(raw) != text:
        raise InvalidSignature(AGAIN)
    return raw
