"""The port of API keys."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from genpulse.domain.keys.api_key import ApiKey
from genpulse.domain.keys.message_key import MessageKeys
from genpulse.domain.keys.webhook_secret import SigningSecrets
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.ports.client_tokens import ClientTokenStore


class KeyStore(Protocol):
    """API keys, what they have made, and the secret that signs addresses. Of a key only the digest is kept."""

    @property
    def client_tokens(self) -> ClientTokenStore:
        """The client tokens that keys have made."""

    async def add(self, key: ApiKey, digest: bytes, webhook_secret: str | None = None) -> None:
        """Keep a new key, perhaps with a webhook secret of its own. Raises `SealingKeyMissing`."""

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, whatever its state."""

    async def all(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""

    async def get(self, beginning: str) -> ApiKey:
        """The key whose id begins like this. Raises `UnknownKey`."""

    async def revoke(self, beginning: str, now: datetime) -> ApiKey:
        """Revoke the key whose id begins like this; one that is revoked stays as it is. Raises `UnknownKey`."""

    async def change(self, beginning: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
        """Keep what `change` makes of the name, the expiry and the limits of the key whose id begins like this.

        Of two changes at once the second one sees the first. `change` may be called twice, and what it raises
        leaves the key as it is. Raises `UnknownKey`.
        """

    async def used(self, key_id: UUID, now: datetime) -> None:
        """Note that it was used."""

    async def usage(self, key_id: UUID) -> ScopeUsage:
        """What it has done by now. Its tasks count as in `TaskStore.spent_usd`."""

    async def usages(self, key_ids: Iterable[UUID]) -> Mapping[UUID, ScopeUsage]:
        """The same of each of several keys."""

    async def signing_secret(self) -> bytes:
        """The 32 random bytes that sign addresses of assets, the same for all processes."""

    async def message_keys(self) -> MessageKeys:
        """The keys that sign messages to receivers which check a public key, the same for all processes.

        The first is made when it is asked for. Raises `SealedMessageKey`.
        """

    async def add_message_key(self) -> MessageKeys:
        """One more, which is published for a day and then signs in place of the one before.

        Raises `SealedMessageKey`.
        """

    async def forget_message_keys(self) -> int:
        """Drop all of them, sealed ones too, so that another one is the first; returns how many there were."""

    async def rotate_webhook_secret(self, beginning: str, secret: str, overlap: timedelta) -> ApiKey:
        """Let a new secret sign messages about the key's tasks; whatever signs now does so for the overlap, too.

        An overlap of nothing ends that at once. Raises `UnknownKey`, `SealingKeyMissing`.
        """

    async def remove_webhook_secret(self, beginning: str, overlap: timedelta) -> ApiKey:
        """Let the shared secret sign again, and the key's own beside it for the overlap.

        Raises `UnknownKey`, `NoWebhookSecret`.
        """

    async def webhook_secrets(self, key_id: UUID) -> SigningSecrets:
        """What signs messages about its tasks now; `SHARED` where there is no such key. Raises `SealedSecret`."""

    async def reseal_webhook_secrets(self) -> int:
        """Seal all of them, and keys of messages, with the newest key; returns how many secrets.

        Raises `SealedSecret`, and then changes none.
        """
