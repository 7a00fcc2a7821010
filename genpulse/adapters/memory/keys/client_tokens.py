"""Client tokens inside this process."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from genpulse.domain.errors import UnknownClientToken
from genpulse.domain.keys.client_token import ClientToken

_MOST_SHOWN = 1000


class MemoryClientTokens:
    """Implements `ClientTokenStore`."""

    def __init__(self) -> None:
        self._tokens: dict[UUID, ClientToken] = {}
        self._ids: dict[bytes, UUID] = {}

    async def add(self, token: ClientToken, digest: bytes) -> None:
        """Keep a new one."""
        self._tokens[token.id] = token
        self._ids[digest] = token.id

    async def find(self, digest: bytes) -> ClientToken | None:
        """The one with this digest, whether it is still good or not."""
        token_id = self._ids.get(digest)
        return None if token_id is None else self._tokens.get(token_id)

    async def get(self, token_id: UUID) -> ClientToken:
        """The one with this id."""
        token = self._tokens.get(token_id)
        if token is None:
            raise UnknownClientToken(token_id)
        return token

    async def of(self, owner: str, now: datetime) -> tuple[ClientToken, ...]:
        """Those that this owner has made and that are good at that moment, newest first."""
        own = (token for token in self._tokens.values() if token.owner == owner and token.is_active(now))
        return tuple(sorted(own, key=lambda token: token.id, reverse=True)[:_MOST_SHOWN])

    async def revoke(self, token_id: UUID, now: datetime) -> ClientToken:
        """Revoke it."""
        token = await self.get(token_id)
        self._tokens[token_id] = replace(token, revoked_at=token.revoked_at or now)
        return self._tokens[token_id]

    async def promise_upload(self, token_id: UUID, asset_id: UUID) -> bool:
        """Note that an asset is promised to it, unless it has as many as it may."""
        token = self._tokens.get(token_id)
        if token is None or token.orders is None or len(token.uploads) >= token.orders.uploads.files:
            return False
        self._tokens[token_id] = replace(token, uploads=token.uploads | {asset_id})
        return True

    async def prune(self, before: datetime) -> int:
        """Forget those that had expired by that moment."""
        expired = [token.id for token in self._tokens.values() if token.expires_at < before]
        for token_id in expired:
            del self._tokens[token_id]
        return len(expired)
