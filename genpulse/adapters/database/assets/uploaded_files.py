"""The `UploadedFileStore` port on PostgreSQL."""

from uuid import UUID

import asyncpg

from genpulse.adapters.database.tasks.rows import Row, asset_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.assets.uploaded_file import UploadedFile, UploadedFileQuery

_ADD = """
INSERT INTO uploaded_files (asset_id, owner, name, media_type, md5, metadata)
SELECT id, owner, $2, $3, $4, $5 FROM assets WHERE id = $1 AND deleted_at IS NULL
FOR KEY SHARE
ON CONFLICT (asset_id) DO NOTHING
"""

_COLUMNS = """
SELECT assets.*, said.name, said.media_type AS said_media_type, said.md5, said.metadata
FROM uploaded_files AS said JOIN assets ON assets.id = said.asset_id
WHERE assets.deleted_at IS NULL
"""

_GET = f"{_COLUMNS} AND said.asset_id = $1"

_FIND = f"""{_COLUMNS}
  AND ($1::text IS NULL OR said.owner = $1)
  AND ($2::uuid IS NULL OR said.asset_id < $2)
ORDER BY said.asset_id DESC LIMIT $3
"""


class PostgresUploadedFiles:
    """Implements `UploadedFileStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, file: UploadedFile) -> None:
        """Remember what was said of an asset that is there."""
        with outages():
            await self._pool.execute(_ADD, file.asset.id, file.name, file.media_type, file.md5, file.metadata)

    async def get(self, asset_id: UUID) -> UploadedFile | None:
        """What was said of this asset."""
        with outages():
            row = await self._pool.fetchrow(_GET, asset_id)
        return None if row is None else _file_of(row)

    async def find(self, query: UploadedFileQuery) -> tuple[UploadedFile, ...]:
        """A page of them, newest first."""
        with outages():
            rows = await self._pool.fetch(_FIND, query.owner, query.before, query.limit)
        return tuple(_file_of(row) for row in rows)


def _file_of(row: Row) -> UploadedFile:
    return UploadedFile(asset_of(row), row["name"], row["said_media_type"], row["md5"], row["metadata"])
