"""The tables of the console."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text

from genpulse.adapters.database.schema.metadata import metadata

_MOMENT = DateTime(timezone=True)
_NOW = text("now()")

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("key_id", Uuid, ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("expires_at", _MOMENT, nullable=False),
)
"""Who is logged in to the console."""

Index("ix_console_sessions_expires_at", console_sessions.c.expires_at)

console_actions = Table(
    "console_actions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at", _MOMENT, nullable=False, server_default=_NOW),
    Column("outcome", Text, nullable=False, server_default=""),
)
"""What was done in the console. It refers to no key and no task: an action stays known when those are gone."""

Index("ix_console_actions_owner_id", console_actions.c.owner, console_actions.c.id)
