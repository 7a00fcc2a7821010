"""The port of client tokens."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from genpulse.domain.keys.client_token import ClientToken


class ClientTokenStore(Protocol):
    """Client tokens. Of their secrets only the digest is kept."""

    async def add(self, token: ClientToken, digest: bytes) -> None:
        """Keep a new one."""

    async def find(self, digest: bytes) -> ClientToken | None:
        """The one with this digest, whether it is still good or not."""

    async def get(self, token_id: UUID) -> ClientToken:
        """The one with this id. Raises `UnknownClientToken`."""

    async def of(self, owner: str, now: datetime) -> tuple[ClientToken, ...]:
        """Those that this owner has made and that are good at that moment, newest first, 1,000 at most."""

    async def revoke(self, token_id: UUID, now: datetime) -> ClientToken:
        """Revoke it; one that is revoked stays as it is. Raises `UnknownClientToken`."""

    async def promise_upload(self, token_id: UUID, asset_id: UUID) -> bool:
        """Note that an asset is promised to it; False, and nothing is, where it has as many as it may."""

    async def prune(self, before: datetime) -> int:
        """Forget those that had expired by that moment; how many there were."""
