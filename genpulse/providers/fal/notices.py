"""Whether a notice comes from fal: Ed25519 over four lines, by keys that fal publishes (fal's documentation)."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Sequence

from genpulse.domain.json.value import JsonValue
from genpulse.provider import Callback, ProviderError
from genpulse.provider.http import AnswerLost, Http, Request

JWKS_URL = "https://rest.fal.ai/.well-known/jwks.json"
TOLERANCE_S = 300.0
KEPT_S = 24 * 3600.0
_AGAIN_S = 60.0


class Verifier:
    """Verifies notices by fal's public keys, which are asked for once a day, and when none fits."""

    def __init__(self, http: Http, jwks_url: str, clock: Callable[[], float] = time.time) -> None:
        self._http = http
        self._url = jwks_url
        self._clock = clock
        self._keys: tuple[bytes, ...] = ()
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def accepts(self, callback: Callback) -> bool:
        """False for a bad signature, one that is older than five minutes, or while the keys are not known."""
        headers = callback.headers
        try:
            moment = float(headers["x-fal-webhook-timestamp"])
            signature = bytes.fromhex(headers["x-fal-webhook-signature"])
            names = headers["x-fal-webhook-request-id"], headers["x-fal-webhook-user-id"]
        except (KeyError, ValueError):
            return False
        if not abs(self._clock() - moment) <= TOLERANCE_S:
            return False
        digest = hashlib.sha256(callback.body).hexdigest()
        message = "\n".join((*names, headers["x-fal-webhook-timestamp"], digest)).encode()
        if _signed(signature, message, await self._known_keys(KEPT_S)):
            return True
        return _signed(signature, message, await self._known_keys(_AGAIN_S))

    async def _known_keys(self, no_older_than_s: float) -> Sequence[bytes]:
        async with self._lock:
            if self._clock() - self._asked_at > no_older_than_s:
                self._asked_at = self._clock()
                try:
                    answer = await self._http.send(Request("GET", self._url, timeout_s=10, limit_bytes=1 << 20))
                    self._keys = tuple(_keys(answer.document().get("keys")))
                except (ProviderError, AnswerLost):
                    return self._keys
            return self._keys


def _keys(listing: JsonValue) -> Sequence[bytes]:
    keys = [key for key in listing if isinstance(key, dict)] if isinstance(listing, list) else []
    return [decoded for key in keys if (decoded := _key(key.get("x")))]


def _key(text: JsonValue) -> bytes:
    """A key, or nothing for what is none."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _signed(signature: bytes, message: bytes, keys: Sequence[bytes]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False
