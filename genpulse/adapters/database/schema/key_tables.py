"""The tables of API keys and of secrets."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from genpulse.adapters.database.schema.metadata import metadata

_MOMENT = DateTime(timezone=True)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("max_active_tasks", Integer),
    Column("daily_tasks", Integer),
    Column("daily_usd", Numeric),
    Column("rate", Text),
    Column("max_priority", SmallInteger),
    Column("retain_s", Integer),
    Column("weight", SmallInteger, nullable=False, server_default="1"),
    Column("created_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT),
    Column("revoked_at", _MOMENT),
    Column("last_used_at", _MOMENT),
    Column("monthly_usd", Numeric),
    Column("limit_by", Text),
    Column("customer_max_active_tasks", Integer),
    Column("customer_daily_tasks", Integer),
    Column("customer_daily_usd", Numeric),
    Column("customer_monthly_usd", Numeric),
)

Index(
    "ix_api_keys_weight",
    text("(id::text)"),
    api_keys.c.weight,
    postgresql_where=api_keys.c.weight > 1,
)

client_tokens = Table(
    "client_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("terms", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT, nullable=False, index=True),
    Column("revoked_at", _MOMENT),
    Column("most_uploads", Integer, nullable=False),
    Column("uploads", ARRAY(Uuid), nullable=False, server_default="{}"),
)
"""For what a page may call without an API key. How much was done by one is counted in `spending`."""

Index("ix_client_tokens_owner_id", client_tokens.c.owner, client_tokens.c.id)

key_webhook_secrets = Table(
    "key_webhook_secrets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("api_key_id", Uuid, ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("sealed", LargeBinary),
    Column("created_at", _MOMENT, nullable=False),
    Column("signs_until", _MOMENT),
)

message_keys = Table(
    "message_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seed", LargeBinary, nullable=False),
    Column("is_sealed", Boolean, nullable=False),
    Column("created_at", _MOMENT, nullable=False, server_default=text("now()")),
)
"""Keys that sign messages to receivers which check a public key; made when the first is asked for."""

signing_secret = Table(
    "signing_secret",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("secret", LargeBinary, nullable=False),
    CheckConstraint("one", name="one"),
)
