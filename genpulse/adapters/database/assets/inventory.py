"""All assets, one page after the other: for whoever compares them with what the storage holds."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.tasks.rows import asset_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.assets.asset import Asset

_PAGE = 500
_NEXT = """
SELECT * FROM assets WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2
"""
_STILL = "SELECT id FROM assets WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL"


class AssetInventory:
    """The rows of `assets`, in the order of their ids."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def pages(self) -> AsyncIterator[tuple[Asset, ...]]:
        """What is there while it is read; nobody is held up. Raises `DatabaseUnavailable`."""
        last = UUID(int=0)
        while True:
            with outages():
                rows = await self._pool.fetch(_NEXT, last, _PAGE)
            if not rows:
                return
            page = tuple(asset_of(row) for row in rows)
            yield page
            last = page[-1].id

    async def still_there(self, asset_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Those that were not removed meanwhile. Raises `DatabaseUnavailable`."""
        with outages():
            rows = await self._pool.fetch(_STILL, asset_ids)
        return frozenset(row["id"] for row in rows)
