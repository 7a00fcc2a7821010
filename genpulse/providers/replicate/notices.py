"""Whether a notice comes from Replicate (Standard Webhooks; read in the `replicate` package 1.0.7)."""

import asyncio

from standardwebhooks import Webhook, WebhookVerificationError

from genpulse.provider import Notice, ProviderError
from genpulse.vendor import Account


class Verifier:
    """Verifies notices by the account's secret, which is asked for once where it is not given."""

    def __init__(self, account: Account, secret: str | None) -> None:
        self._account = account
        self._secret = secret
        self._lock = asyncio.Lock()

    async def accepts(self, notice: Notice) -> bool:
        """False for a bad signature, one that is older than five minutes, or while the secret is not known."""
        try:
            webhook = Webhook(await self._known_secret())
            webhook.verify(notice.body, dict(notice.headers))
        except (WebhookVerificationError, ProviderError, OSError, ValueError):
            return False
        return True

    async def _known_secret(self) -> str:
        async with self._lock:
            if self._secret is None:
                answer = await self._account.probe("GET", "/v1/webhooks/default/secret")
                self._secret = str(answer.document().get("key", ""))
            return self._secret
