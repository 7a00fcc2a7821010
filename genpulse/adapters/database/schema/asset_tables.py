"""The tables of assets: what was made or uploaded, which tasks use it, and whose bytes are to go."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from genpulse.adapters.database.schema.metadata import metadata

_Moment = DateTime(timezone=True)

assets = Table(
    "assets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="SET NULL"), index=True),
    Column("owner", Text, nullable=False, server_default=""),
    Column("environment", Text, nullable=False),
    Column("key", Text, nullable=False, index=True),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_s", Double),
    Column("created_at", _Moment, nullable=False),
    Column("deleted_at", _Moment),
)

Index("ix_assets_deleted_at", assets.c.deleted_at, postgresql_where=assets.c.deleted_at.is_not(None))
Index("ix_assets_of_no_task", assets.c.created_at, postgresql_where=assets.c.task_id.is_(None))

Index("ix_assets_staged", assets.c.sha256, postgresql_where=text("strpos(key, '/id/') > 0"))

thumbnails = Table(
    "thumbnails",
    metadata,
    Column("source", Text, primary_key=True),
    Column("width", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("environment", Text, nullable=False),
)
"""Of the contents of assets, by the keys of these."""

uploaded_files = Table(
    "uploaded_files",
    metadata,
    Column("asset_id", Uuid, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("md5", Text, nullable=False),
    Column("metadata", JSONB, nullable=False),
)
"""What callers said of the files that they brought."""

Index("ix_uploaded_files_owner", uploaded_files.c.owner, uploaded_files.c.asset_id)

asset_uses = Table(
    "asset_uses",
    metadata,
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("asset_id", Uuid, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True, index=True),
)

doomed_objects = Table(
    "doomed_objects",
    metadata,
    Column("key", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("last_created_at", _Moment, nullable=False, index=True),
    Column("environment", Text),
    Column("expected_for", Uuid),
    Column("erased_at", _Moment),
    Column("removed_at", _Moment),
)
"""Bytes that may be nobody's. Under a key that is erased nothing is stored any more."""

Index(
    "ix_doomed_objects_expected_for",
    doomed_objects.c.expected_for,
    postgresql_where=doomed_objects.c.expected_for.is_not(None),
)
Index(
    "ix_doomed_objects_erased_at",
    doomed_objects.c.erased_at,
    postgresql_where=text("erased_at IS NOT NULL AND removed_at IS NULL"),
)
