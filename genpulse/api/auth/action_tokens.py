"""Tokens that confirm an action on many tasks: signed, short-lived, and good for nothing else."""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from genpulse.api.errors import ConfirmExpired, InvalidConfirm

LASTS_S = 900
_FORM = b"genpulse action 1"
_CONTENT = struct.Struct(">qq16s")
"""Microseconds at which it was counted, seconds at which it expires, and the task after which it goes on.

The last task that is meant follows, where there may be older ones.
"""
_NOWHERE = bytes(16)
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class ActionToken:
    """When the tasks were counted, and where doing it goes on: with those older than `before`, or the newest.

    It ends with the task `back_to`, or with the oldest.
    """

    as_of: datetime
    expires_s: int
    before: UUID | None = None
    back_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class ActionSigner:
    """Signs with HMAC-SHA256. What the token is good for is signed with it and not in it."""

    secret: bytes = field(repr=False)

    def write(self, token: ActionToken, good_for: bytes) -> str:
        """As callers send it."""
        before = token.before.bytes if token.before else _NOWHERE
        content = _CONTENT.pack(_microseconds(token.as_of), token.expires_s, before)
        content += token.back_to.bytes if token.back_to else b""
        return base64.urlsafe_b64encode(content + self._sign(content, good_for)).rstrip(b"=").decode()

    def read(self, text: str, good_for: bytes, now_s: float) -> ActionToken:
        """Raises `InvalidConfirm`, `ConfirmExpired`."""
        try:
            raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise InvalidConfirm from None
        content, signature = raw[:-_DIGEST_BYTES], raw[-_DIGEST_BYTES:]
        if not hmac.compare_digest(signature, self._sign(content, good_for)):
            raise InvalidConfirm
        as_of, expires_s, before = _CONTENT.unpack_from(content)
        if expires_s <= now_s:
            raise ConfirmExpired
        moment = datetime.fromtimestamp(as_of // 1_000_000, UTC).replace(microsecond=as_of % 1_000_000)
        return ActionToken(moment, expires_s, _place(before), _place(content[_CONTENT.size :]))

    def _sign(self, content: bytes, good_for: bytes) -> bytes:
        digest = hashlib.sha256(good_for).digest()
        return hmac.digest(self.secret, b"\0".join([_FORM, digest, content]), hashlib.sha256)


def _place(raw: bytes) -> UUID | None:
    return UUID(bytes=raw) if raw.strip(b"\0") else None


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
