"""Webhook signing secrets: shared, or of one API key."""

import secrets
from base64 import b64decode, b64encode
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


def canonical_secret(secret: str) -> str:
    """The same secret as `whsec_` and base64, also where it was written as plain text.

    None has a second underscore, at each of which some receivers cut it.
    """
    key = b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    return f"whsec_{b64encode(key).decode()}"


def new_webhook_secret() -> str:
    """256 random bits, as Standard Webhooks writes a secret (standardwebhooks.com)."""
    return f"whsec_{b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()}"
