"""The table of deleted tasks."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)

from genpulse.adapters.database.schema.metadata import metadata

_MOMENT = DateTime(timezone=True)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("deleted_at", _MOMENT, nullable=False, index=True),
    Column("deleted_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("key_digest", LargeBinary),
    Column("erased_at", _MOMENT),
    Column("status", Text),
    Column("finished_at", _MOMENT),
    Column("spent_day", Date),
    Column("price_usd", Numeric),
    Column("cost_usd", Numeric),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("assets", Integer, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("reason IN ('request', 'retention')", name="reason"),
)
"""What is kept of a task that was deleted: nothing of what was asked for, and nothing of what was made."""

Index("ix_tombstones_key_digest", tombstones.c.key_digest, postgresql_where=tombstones.c.key_digest.is_not(None))
