"""Webhook signing secrets: shared, or of one API key."""

import secrets
from base64 import b64encode
from dataclasses import dataclass, field

_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """What a message is signed with, a signature each: `own` secrets of a key, newest first, and the `shared` one.

    Several sign while receivers change over from one to another; a receiver takes a message by any of them.
    """

    own: tuple[str, ...] = field(default=(), repr=False)
    shared: bool = True


SHARED = SigningSecrets()
"""By what `webhooks.secret` says alone."""


def new_webhook_secret() -> str:
    """256 random bits, as Standard Webhooks writes a secret (standardwebhooks.com)."""
    return f"whsec_{b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()}"
