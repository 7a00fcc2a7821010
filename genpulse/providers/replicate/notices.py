"""Whether a notice comes from Replicate (Standard Webhooks; read in the `replicate` package 1.0.7)."""

import asyncio

from standardwebhooks import Webhook

from genpulse.provider import Callback, ProviderError
from genpulse.provider.account import Account
from genpulse.provider.standard_webhooks import is_signed, webhook_of


class Verifier:
    """Verifies notices by the account's secret, which is asked for where it is not given, until it is told."""

    def __init__(self, account: Account, secret: str | None) -> None:
        self._account = account
        self._webhook = webhook_of(secret) if secret else None
        self._lock = asyncio.Lock()

    async def accepts(self, callback: Callback) -> bool:
        """False for a bad signature, one that is older than five minutes, or while the secret is not known."""
        try:
            return is_signed(callback, await self._known_webhook())
        except (ProviderError, OSError, ValueError):
            return False

    async def _known_webhook(self) -> Webhook:
        """Raises as `Account.probe`, and `ValueError` where the answer holds no secret."""
        async with self._lock:
            if self._webhook is None:
                answer = await self._account.probe("GET", "/v1/webhooks/default/secret")
                secret = answer.document().get("key")
                self._webhook = webhook_of(secret if isinstance(secret, str) else "")
            return self._webhook
