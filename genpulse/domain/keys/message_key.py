"""Keys that sign messages to receivers which check a public key in place of a secret, and when each does."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

SEED_BYTES = 32
KNOWN_AFTER = timedelta(hours=24)
"""For so long receivers may remember which public keys there are."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A private key, as the seed of which it is made (Ed25519)."""

    id: UUID
    seed: bytes = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """Which key signs now, and all that receivers have to know of. From the `first` one secrets are derived."""

    signs: MessageKey
    published: tuple[MessageKey, ...]
    first: MessageKey


def keys_at(now: datetime, keys: Iterable[MessageKey]) -> MessageKeys:
    """Of at least one key.

    The first signs at once. Each later one is published for a day before it signs in place of the one before,
    which is published for another day.
    """
    ordered = sorted(keys, key=lambda key: (key.created_at, key.id))
    old_enough = [key for key in ordered[1:] if key.created_at + KNOWN_AFTER <= now]
    pairs = itertools.pairwise(ordered)
    earlier = (key for key, following in pairs if now < following.created_at + 2 * KNOWN_AFTER)
    return MessageKeys(old_enough[-1] if old_enough else ordered[0], (*earlier, ordered[-1]), ordered[0])
