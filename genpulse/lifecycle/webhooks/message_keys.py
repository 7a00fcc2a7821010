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


async def json_web_keys(keys: KeyStore) -> JsonObject:
    """The public keys as a JWK Set (RFC 7517, 8037), the one that signs first. Raises `DatabaseUnavailable`.

    May be remembered for a day: a new key is in it for that long before it signs.
    """
    known = await keys.message_keys()
    others = [key for key in reversed(known.published) if key != known.signs]
    return {"keys": [_json_web_key(key) for key in (known.signs, *others)]}


def _json_web_key(key: MessageKey) -> JsonObject:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # as above

    point = Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw()
    text = urlsafe_b64encode(point).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": text, "kid": str(key.id), "use": "sig", "alg": "EdDSA"}
