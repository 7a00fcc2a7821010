"""The `ClientTokenStore` port on PostgreSQL. What a token is good for is kept as JSON in a column."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json

from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.errors import UnknownClientToken
from genpulse.domain.keys.client_token import ClientToken, OrderTerms, UploadTerms

_COLUMNS = "id, owner, terms, created_at, expires_at, revoked_at, uploads"
_ADD = """
INSERT INTO client_tokens (id, owner, digest, terms, created_at, expires_at, most_uploads)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_FIND = f"SELECT {_COLUMNS} FROM client_tokens WHERE digest = $1"  # noqa: S608 - our own names
_GET = f"SELECT {_COLUMNS} FROM client_tokens WHERE id = $1"  # noqa: S608 - our own names
_OF = f"""
SELECT {_COLUMNS} FROM client_tokens
WHERE owner = $1 AND expires_at > $2 AND revoked_at IS NULL ORDER BY id DESC LIMIT 1000
"""  # noqa: S608 - our own names
_REVOKE = "UPDATE client_tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1"
_PROMISE = """
UPDATE client_tokens SET uploads = array_append(uploads, $2)
WHERE id = $1 AND cardinality(uploads) < most_uploads RETURNING id
"""
_PRUNE = "DELETE FROM client_tokens WHERE expires_at < $1 RETURNING id"


class PostgresClientTokens:
    """Implements `ClientTokenStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, token: ClientToken, digest: bytes) -> None:
        """Keep a new one."""
        most_uploads = token.orders.uploads.files if token.orders else 0
        times = (token.created_at, token.expires_at)
        with outages():
            await self._pool.execute(_ADD, token.id, token.owner, digest, _terms_text(token), *times, most_uploads)

    async def find(self, digest: bytes) -> ClientToken | None:
        """The one with this digest, whether it is still good or not."""
        with outages():
            row = await self._pool.fetchrow(_FIND, digest)
        return _token_of(row) if row else None

    async def get(self, token_id: UUID) -> ClientToken:
        """The one with this id."""
        with outages():
            row = await self._pool.fetchrow(_GET, token_id)
        if row is None:
            raise UnknownClientToken(token_id)
        return _token_of(row)

    async def of(self, owner: str, now: datetime) -> tuple[ClientToken, ...]:
        """Those that this owner has made and that are good at that moment, newest first."""
        with outages():
            return tuple(_token_of(row) for row in await self._pool.fetch(_OF, owner, now))

    async def revoke(self, token_id: UUID, now: datetime) -> ClientToken:
        """Revoke it."""
        with outages():
            await self._pool.execute(_REVOKE, token_id, now)
        return await self.get(token_id)

    async def promise_upload(self, token_id: UUID, asset_id: UUID) -> bool:
        """Note that an asset is promised to it, unless it has as many as it may."""
        with outages():
            return await self._pool.fetchval(_PROMISE, token_id, asset_id) is not None

    async def prune(self, before: datetime) -> int:
        """Forget those that had expired by that moment."""
        with outages():
            return len(await self._pool.fetch(_PRUNE, before))


def _terms_text(token: ClientToken) -> str:
    orders = token.orders
    document = {
        "tasks": sorted(map(str, token.tasks)),
        "may_cancel": token.may_cancel,
        "orders": _orders_document(orders) if orders else None,
    }
    return to_json(document).decode()


def _orders_document(orders: OrderTerms) -> Mapping[str, object]:
    uploads = orders.uploads
    return {
        "models": orders.models,
        "max_tasks": orders.max_tasks,
        "max_usd": None if orders.max_usd is None else str(orders.max_usd),
        "input": orders.input,
        "fields": None if orders.fields is None else sorted(orders.fields),
        "metadata": orders.metadata,
        "webhook_url": orders.webhook_url,
        "uploads": (uploads.files, uploads.max_bytes, uploads.media_type),
    }


def _token_of(row: Row) -> ClientToken:
    terms = from_json(row["terms"])
    orders = terms["orders"]
    return ClientToken(
        id=uuid_of(row["id"]),
        owner=row["owner"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        tasks=frozenset(map(UUID, terms["tasks"])),
        orders=_orders_of(orders) if orders else None,
        may_cancel=terms["may_cancel"],
        revoked_at=row["revoked_at"],
        uploads=frozenset(map(uuid_of, row["uploads"])),
    )


def _orders_of(document: Mapping[str, Any]) -> OrderTerms:
    max_usd, fields = document["max_usd"], document["fields"]
    return OrderTerms(
        models=tuple(document["models"]),
        max_tasks=document["max_tasks"],
        max_usd=None if max_usd is None else Decimal(max_usd),
        input=document["input"],
        fields=None if fields is None else frozenset(fields),
        metadata=document["metadata"],
        webhook_url=document["webhook_url"],
        uploads=UploadTerms(*document["uploads"]),
    )
