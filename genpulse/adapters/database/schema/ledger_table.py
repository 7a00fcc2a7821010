"""The table of the ledger."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from genpulse.adapters.database.schema.metadata import metadata

ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("task_id", Uuid, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_usd", Numeric, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("rule_version", Text, nullable=False, server_default=""),
    Column("flag", Text),
    Column("reported", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("transaction", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    CheckConstraint("kind IN ('reserved', 'settled', 'released', 'refunded')", name="kind"),
    CheckConstraint("amount_usd > 0 OR (amount_usd = 0 AND flag IS NOT NULL)", name="amount"),
)
"""What tasks reserve, cost and give back. Entries are added and never changed, which a trigger holds.

It refers to no task: an entry stays when its task is deleted. By `transaction` whoever reads on from where it was
finds also what was committed later than entries with a higher id.
"""

Index("ix_ledger_task_id_id", ledger.c.task_id, ledger.c.id)
Index(
    "ix_ledger_day_and_more",
    *(ledger.c.day, ledger.c.provider, ledger.c.model, ledger.c.owner, ledger.c.kind),
    postgresql_include=["amount_usd"],
)
Index("ix_ledger_transaction", ledger.c.transaction)
