"""Signed URLs of assets, with an expiry."""

import base64
import hashlib
import hmac
import math
from dataclasses import dataclass, field
from uuid import UUID

from genpulse.api.errors import InvalidSignature, UrlExpired
from genpulse.ports import Services

STEP_S = 900
"""Expiries are multiples of it, so that an address stays the same for a while and caches know it again."""


@dataclass(frozen=True, slots=True)
class UrlSigner:
    """Signs addresses of assets with HMAC-SHA256. They last `lasts_s` seconds and up to 15 minutes more."""

    secret: bytes = field(repr=False)
    lasts_s: int

    def query(self, asset_id: UUID, now_s: float) -> str:
        """The query of a signed address."""
        expires = math.ceil((now_s + self.lasts_s) / STEP_S) * STEP_S
        return f"expires={expires}&signature={self._sign(asset_id, expires)}"

    def check(self, asset_id: UUID, expires: str, signature: str, now_s: float) -> None:
        """Raises `InvalidSignature`, `UrlExpired`."""
        moment = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 16 else -1
        if not hmac.compare_digest(signature.encode(), self._sign(asset_id, moment).encode()):
            raise InvalidSignature
        if moment <= now_s:
            raise UrlExpired(moment)

    def _sign(self, asset_id: UUID, expires: int) -> str:
        digest = hmac.digest(self.secret, f"{asset_id}.{expires}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class LazyUrlSigner:
    """The signer of addresses, once its secret was read."""

    def __init__(self) -> None:
        self.signer: UrlSigner | None = None

    async def fill(self, services: Services, lasts_s: int) -> UrlSigner:
        """Read the secret, if that has not happened yet. Raises `DatabaseUnavailable`."""
        if self.signer is None:
            self.signer = UrlSigner(await services.keys.signing_secret(), lasts_s)
        return self.signer
