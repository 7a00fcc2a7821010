"""Signed URLs of assets and of the events of tasks, with an expiry."""

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
_EVENTS = "events."


@dataclass(frozen=True, slots=True)
class UrlSigner:
    """Signs addresses with HMAC-SHA256. What is signed for an asset's bytes is no signature of a task's events.

    Addresses of assets last `lasts_s` seconds, of events `events_last_s`, and up to 15 minutes more.
    """

    secret: bytes = field(repr=False)
    lasts_s: int
    events_last_s: int = 3600
    _keyed: hmac.HMAC = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keyed", hmac.new(self.secret, digestmod=hashlib.sha256))

    def query(self, asset_id: UUID, now_s: float) -> str:
        """The query of a signed address of an asset's bytes."""
        return self._query(str(asset_id), now_s + self.lasts_s)

    def events_query(self, task_id: UUID | str, now_s: float) -> str:
        """The query of a signed address of a task's events."""
        return self._query(f"{_EVENTS}{task_id}", now_s + self.events_last_s)

    def token_events_query(self, task_id: UUID | str, token_id: UUID, until_s: float) -> str:
        """The same for whoever has a client token, which is named in it; it runs out to the second."""
        expires = math.floor(until_s)
        signature = self._sign(f"{_EVENTS}{task_id}.{token_id}", expires)
        return f"client_token={token_id}&expires={expires}&signature={signature}"

    def check(self, asset_id: UUID, expires: str, signature: str, now_s: float) -> None:
        """Raises `InvalidSignature`, `UrlExpired`."""
        self._check(str(asset_id), expires, signature, now_s)

    def check_events(self, task_id: UUID, expires: str, signature: str, now_s: float) -> None:
        """Raises `InvalidSignature`, `UrlExpired`."""
        self._check(f"{_EVENTS}{task_id}", expires, signature, now_s)

    def check_token_events(
        self, task_id: UUID, token_id: UUID, expires: str, signature: str, now_s: float
    ) -> None:
        """Raises `InvalidSignature`, `UrlExpired`. That the token is good is for others to see."""
        self._check(f"{_EVENTS}{task_id}.{token_id}", expires, signature, now_s)

    def _query(self, subject: str, until_s: float) -> str:
        expires = math.ceil(until_s / STEP_S) * STEP_S
        return f"expires={expires}&signature={self._sign(subject, expires)}"

    def _check(self, subject: str, expires: str, signature: str, now_s: float) -> None:
        moment = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 16 else -1
        if not hmac.compare_digest(signature.encode(), self._sign(subject, moment).encode()):
            raise InvalidSignature
        if moment <= now_s:
            raise UrlExpired(moment)

    def _sign(self, subject: str, expires: int) -> str:
        signed = self._keyed.copy()
        signed.update(f"{subject}.{expires}".encode())
        return base64.urlsafe_b64encode(signed.digest()).decode().rstrip("=")


class LazyUrlSigner:
    """The signer of addresses, once its secret was read."""

    def __init__(self) -> None:
        self.signer: UrlSigner | None = None

    async def fill(self, services: Services, lasts_s: int, events_last_s: int = 3600) -> UrlSigner:
        """Read the secret, if that has not happened yet. Raises `DatabaseUnavailable`."""
        if self.signer is None:
            self.signer = UrlSigner(await services.keys.signing_secret(), lasts_s, events_last_s)
        return self.signer
