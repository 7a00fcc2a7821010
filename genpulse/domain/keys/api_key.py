"""API keys: who may call, for what, and how much."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from genpulse.domain.money.allowance import NO_LIMITS, Allowance
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority

_RANDOM_BYTES = 32
_HINT_LENGTH = 4
HEAVIEST = 100
"""The highest weight of a key."""


class Scope(StrEnum):
    """What a key allows. ADMIN allows everything, on the tasks and assets of every key.

    VIEW is for people who only look: the tasks and assets of every key, and nothing is changed with it, whatever
    else the key has.
    """

    READ = "tasks:read"
    WRITE = "tasks:write"
    VIEW = "admin:read"
    ADMIN = "admin"


class KeyState(StrEnum):
    """Whether a key is accepted."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyLimits(Allowance):
    """How much a key may do: what all of its tasks together may come to, and what is not counted.

    `max_priority` is the highest priority that its tasks may ask for. Its tasks are deleted `retain_s` seconds
    after their end at the latest. While tasks of several keys wait with one priority, as many of a key are started
    in its turn as its `weight` says, 1 to `HEAVIEST`. Where `limit_by` names a field of the metadata, each task
    has to have it, and each of its values is an end customer that may do as much as `customer` says.
    """

    rate: Rate | None = None
    max_priority: Priority | None = None
    retain_s: int | None = None
    weight: int = 1
    limit_by: str | None = None
    customer: Allowance = NO_LIMITS

    @property
    def limits_tasks(self) -> bool:
        """Whether a task could be refused because of what it or its end customer has done."""
        return self.limits_anything or (self.limit_by is not None and self.customer.limits_anything)

    @property
    def usual_priority(self) -> Priority:
        """The priority of a task that asks for none."""
        return Priority.NORMAL if self.max_priority is None else min(Priority.NORMAL, self.max_priority)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `hint` is the beginning of the random part, so that people can tell keys apart.

    `webhook_secret_at` is when the secret was made that signs messages about its tasks; None: the shared one does.
    """

    id: UUID
    name: str
    hint: str
    scopes: frozenset[Scope]
    created_at: datetime
    limits: KeyLimits = field(default_factory=KeyLimits)
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    webhook_secret_at: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """The state at that moment."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ACTIVE

    def allows(self, scope: Scope) -> bool:
        """Whether the key allows this scope."""
        if Scope.ADMIN in self.scopes:
            return True
        if Scope.VIEW in self.scopes:
            return scope in {Scope.READ, Scope.VIEW}
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Token:
    """The secret itself, which is shown once and not kept."""

    text: str = field(repr=False)
    prefix: str

    @classmethod
    def new(cls, prefix: str) -> "Token":
        """A new token: 256 random bits after the prefix of an environment."""
        return cls(prefix + secrets.token_urlsafe(_RANDOM_BYTES), prefix)

    @property
    def hint(self) -> str:
        """The first characters after the prefix: too few to guess the rest."""
        return self.text[len(self.prefix) :][:_HINT_LENGTH]


def digest_of(token: str) -> bytes:
    """The SHA-256 of a token, which is stored in its place. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
