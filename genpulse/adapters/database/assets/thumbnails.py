"""The `ThumbnailStore` port on PostgreSQL."""

from uuid import UUID

import asyncpg

from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth

_FIND = "SELECT source, width, key, size, sha256 FROM thumbnails WHERE source = $1 AND width = $2"

_ADD = """
INSERT INTO thumbnails (source, width, key, size, sha256, environment)
SELECT $1, $2::int, $3, $4::bigint, $5, assets.environment FROM assets
WHERE id = $6 AND assets.key = $1 AND deleted_at IS NULL
FOR KEY SHARE
ON CONFLICT (source, width) DO UPDATE SET key = excluded.key, size = excluded.size, sha256 = excluded.sha256
WHERE thumbnails.key = $7
RETURNING key
"""
"""The asset stays until this is committed: whoever removes it finds the thumbnail."""


class PostgresThumbnails:
    """Implements `ThumbnailStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, source: str, width: ThumbnailWidth) -> Thumbnail | None:
        """The thumbnail of the content under this key."""
        with outages():
            row = await self._pool.fetchrow(_FIND, source, width)
        return row and Thumbnail(row["source"], width, row["key"], row["size"], row["sha256"])

    async def add(self, thumbnail: Thumbnail, asset_id: UUID, *, replacing: Thumbnail | None = None) -> bool:
        """Remember it, for as long as an asset has this content."""
        values = (thumbnail.source, thumbnail.width, thumbnail.key, thumbnail.size, thumbnail.sha256)
        old = replacing.key if replacing else None
        with outages():
            return await self._pool.fetchval(_ADD, *values, asset_id, old) is not None
