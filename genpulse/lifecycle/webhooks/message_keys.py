"""Signatures by a private key (Ed25519), and the public keys by which receivers check them."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.json.value import JsonObject
from genpulse.domain.keys.message_key import MessageKey
from genpulse.ports import KeyStore

KNOWN_S = 60.0
"""Seconds for which a process remembers which key signs."""


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """64 bytes, and by which key they were made."""

    key_id: UUID
    signature: bytes


class MessageSigner:
    """Signs by the key that is in force. `clock` counts seconds and never jumps."""

    def __init__(self, keys: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._known: tuple[MessageKey, float] | None = None

    async def sign(self, message: bytes) -> MessageSignature:
        """Raises `DatabaseUnavailable`."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # slow to import

        key = await self._key()
        return MessageSignature(key.id, Ed25519PrivateKey.from_private_bytes(key.seed).sign(message))

    async def _key(self) -> MessageKey:
        if self._known is None or self._clock() >= self._known[1]:
            self._known = (await self._keys.message_keys()).signs, self._clock() + KNOWN_S
        return self._known[0]


@dataclass(frozen=True, slots=True)
class PublicMessageKey:
    """`x` is the point in base64 for URLs, without padding (RFC 8037)."""

    id: UUID
    x: str


async def public_message_keys(keys: KeyStore) -> tuple[PublicMessageKey, ...]:
    """Those that receivers have to know of, the one that signs first. Raises `DatabaseUnavailable`.

    They may be remembered for a day: a new key is among them for that long before it signs.
    """
    known = await keys.message_keys()
    others = (key for key in reversed(known.published) if key != known.signs)
    return tuple(_public_key(key) for key in (known.signs, *others))


def _public_key(key: MessageKey) -> PublicMessageKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # as above

    point = Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw()
    return PublicMessageKey(key.id, urlsafe_b64encode(point).decode().rstrip("="))


async def json_web_keys(keys: KeyStore) -> JsonObject:
    """The same as a JWK Set (RFC 7517). Raises `DatabaseUnavailable`."""
    return {"keys": [_json_web_key(key) for key in await public_message_keys(keys)]}


def _json_web_key(key: PublicMessageKey) -> JsonObject:
    return {"kty": "OKP", "crv": "Ed25519", "x": key.x, "kid": str(key.id), "use": "sig", "alg": "EdDSA"}
