"""Notices that are signed as Standard Webhooks says: HMAC-SHA256 over id, timestamp and body."""

from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from genpulse.provider.call import Callback


def webhook_of(secret: str) -> Webhook:
    """Make a verifier of notices from a secret (`whsec_` and base64). Raises `ValueError` for what is none."""
    try:
        return Webhook(secret)
    except (EmptyWebhookSecretError, ValueError) as error:
        raise ValueError("the secret for notices is not whsec_ and something in base64") from error


def is_signed(callback: Callback, webhook: Webhook) -> bool:
    """False for a bad signature, and for one that is older than five minutes."""
    try:
        webhook.verify(callback.body, dict(callback.headers))
    except (WebhookVerificationError, ValueError):
        return False
    return True
