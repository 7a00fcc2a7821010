"""Signing secrets of each owner, cached for some seconds."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets, canonical_secret
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
        self._root: tuple[bytes, float] = b"", float("-inf")

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

    async def with_derived(self, owner: str) -> SigningSecrets:
        """The same for forms whose receivers ask for their secret: also the one that `webhook_secret_of` gives.

        It signs wherever the shared one does. Raises `SealedSecret`, `DatabaseUnavailable`.
        """
        secrets = await self.of(owner)
        if not secrets.shared:
            return secrets
        if self._clock() >= self._root[1]:
            self._root = (await self._keys.message_keys()).first.seed, self._clock() + KNOWN_S
        return replace(secrets, own=(*secrets.own, _derived(self._root[0], owner)))


async def webhook_secret_of(keys: KeyStore, caller: Caller) -> str:
    """By which the caller verifies messages in a form that lets it ask for that: `whsec_` and base64.

    The newest of the key's own, else one that is derived for this key alone: what `webhooks.secret` says is known
    to receivers of other keys. Raises `SealedSecret`, `DatabaseUnavailable`.
    """
    if caller.key is not None:
        secrets = await keys.webhook_secrets(caller.key.id)
        lasting = (await keys.get(str(caller.key.id))).webhook_secret_at is not None
        if secrets.own and lasting:
            return canonical_secret(secrets.own[0])
    return _derived((await keys.message_keys()).first.seed, caller.owner)


def _derived(root: bytes, owner: str) -> str:
    digest = hmac.digest(root, f"webhook secret of {owner}".encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(digest).decode()}"
