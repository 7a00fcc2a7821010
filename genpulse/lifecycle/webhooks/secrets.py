"""Signing secrets of each owner, cached for some seconds."""

import time
from collections.abc import Callable
from uuid import UUID

from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.ports import KeyStore

KNOWN_S = 10.0
"""Seconds after which a secret that was rotated or removed does not sign any more, at the latest."""
_REMEMBERED = 10_000


class WebhookSecrets:
    """Those of API keys by the `owner` of a task. `clock` counts seconds and never jumps."""

    def __init__(self, keys: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._secrets: dict[UUID, tuple[SigningSecrets, float]] = {}

    async def of(self, owner: str) -> SigningSecrets:
        """Raises `SealedSecret`, `DatabaseUnavailable`."""
        try:
            key_id = UUID(owner)
        except ValueError:
            return SHARED
        secrets, until_s = self._secrets.get(key_id, (SHARED, float("-inf")))
        if self._clock() < until_s:
            return secrets
        secrets = await self._keys.webhook_secrets(key_id)
        if len(self._secrets) >= _REMEMBERED:
            self._secrets.clear()
        self._secrets[key_id] = (secrets, self._clock() + KNOWN_S)
        return secrets
