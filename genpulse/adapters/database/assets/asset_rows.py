"""Assets outside of ends: uploads are added, and assets looked up."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.statements import tasks
from genpulse.adapters.database.tasks.ending_attempts import asset_columns
from genpulse.adapters.database.tasks.rows import asset_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.errors import AssetExists, BytesErased, UnknownAsset


class AssetRows:
    """The part of `TaskStore` that knows assets."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._read: Coalescer[UUID, Asset] = Coalescer(self._read_assets, flights=2)

    async def add(self, asset: Asset) -> None:
        """Keep an asset's identity. Raises `BytesErased`, `AssetExists`."""
        try:
            with outages():
                rows = await self._pool.fetch(tasks.ADD_ASSETS, *asset_columns([asset]))
        except asyncpg.UniqueViolationError:
            raise AssetExists(f"the asset {asset.id} is there already") from None
        if not rows:
            raise BytesErased(f"the bytes under {asset.content.key} are gone")

    async def get(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""
        return await self._read(asset_id)

    async def _read_assets(self, asset_ids: Sequence[UUID]) -> Sequence[Asset | Exception]:
        with outages():
            rows = await self._pool.fetch(tasks.ASSETS, list(dict.fromkeys(asset_ids)))
        assets = {asset.id: asset for asset in map(asset_of, rows)}
        return [assets.get(asset_id) or UnknownAsset(asset_id) for asset_id in asset_ids]

    async def close(self) -> None:
        """Wait for what is being read."""
        await self._read.close()

    async def twin_of(self, content: Content, environment: str) -> Content | None:
        """The same bytes under another key of the same week."""
        folder = f"{content.key.rpartition('/')[0]}/"
        with outages():
            row = await self._pool.fetchrow(
                tasks.TWIN, content.sha256, content.size, folder, content.key, environment
            )
        return asset_of(row).content if row is not None else None

    async def owners(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are; those that are not there are left out."""
        with outages():
            rows = await self._pool.fetch(tasks.OWNERS_OF_ASSETS, asset_ids)
        return {row["id"]: row["owner"] for row in rows}

    async def media_types(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """What these assets are; those that are not there are left out."""
        with outages():
            rows = await self._pool.fetch(tasks.MEDIA_TYPES, asset_ids)
        return {row["id"]: row["media_type"] for row in rows}
