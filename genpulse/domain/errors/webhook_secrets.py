"""Webhook secrets of API keys that are not there, or cannot be read."""

from uuid import UUID

from genpulse.domain.errors.refused import Refused


class NoWebhookSecret(Refused):
    """The API key has no webhook secret of its own."""

    code = "no_webhook_secret"

    def __init__(self, key_id: UUID) -> None:
        super().__init__(
            f"The API key {key_id} has no webhook secret of its own: webhooks.secret signs messages about its"
            " tasks."
        )


class SealingKeyMissing(Refused):
    """A secret would be kept, and nothing is there to seal it with."""

    code = "sealing_key_missing"

    def __init__(self) -> None:
        super().__init__(
            "webhooks.sealing_keys is empty, and secrets of API keys are kept sealed with it. Set"
            " GENPULSE_WEBHOOKS__SEALING_KEYS here and for every worker to what `openssl rand -base64 32` makes."
        )


class SealedSecret(Refused):
    """A webhook secret is kept that no key here opens."""

    code = "sealed_secret"

    def __init__(self, key_id: UUID, *, has_key: bool) -> None:
        super().__init__(
            f"The webhook secret of the API key {key_id} {_why(has_key=has_key)}: set the one that it was"
            " sealed with, or give the API key a new secret"
            f" (genpulse keys webhook-secret rotate {key_id} --overlap 0)."
        )


class SealedMessageKey(SealedSecret):
    """A key that signs messages is kept that no key here opens."""

    def __init__(self, key_id: UUID, *, has_key: bool) -> None:
        Refused.__init__(
            self,
            f"The message key {key_id} {_why(has_key=has_key)}: set the one that it was sealed with here and"
            " for every process, or begin with a new one (genpulse keys message-key forget).",
        )


def _why(*, has_key: bool) -> str:
    if has_key:
        return "is sealed with none of webhooks.sealing_keys"
    return "is sealed, and webhooks.sealing_keys is empty"
