"""The tables of sums of usage."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    text,
)

from genpulse.adapters.database.schema.metadata import metadata

_MOMENT = DateTime(timezone=True)
_NOTHING = text("0")

usage_hours = Table("usage_hours", metadata, Column("hour", _MOMENT, primary_key=True))
"""Hours (UTC) that are closed: the ended tasks that came in them are what `usage_sums` and `usage_changes` say."""


def _sums(name: str, since: str) -> Table:
    return Table(
        name,
        metadata,
        Column(since, _MOMENT, primary_key=True),
        Column("provider", Text, primary_key=True),
        Column("model", Text, primary_key=True),
        Column("owner", Text, primary_key=True),
        Column("status", Text, primary_key=True),
        Column("tasks", BigInteger, nullable=False),
        Column("cost_usd", Numeric, nullable=False),
        Column("price_usd", Numeric, nullable=False),
        Column("unpriced", BigInteger, nullable=False),
    )


usage_sums = _sums("usage_sums", "hour")
"""What the ended tasks of a closed hour come to, those that were deleted among them."""

usage_days = _sums("usage_days", "day")
"""The same of the closed hours of a day (UTC)."""

usage_changes = Table(
    "usage_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("hour", _MOMENT, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tasks", Integer, nullable=False),
    Column("cost_usd", Numeric, nullable=False),
    Column("price_usd", Numeric, nullable=False),
    Column("unpriced", Integer, nullable=False),
)
"""By how much old tasks have changed that, as triggers note it, until it is added to `usage_sums`."""

Index("ix_usage_changes_hour", usage_changes.c.hour)

ledger_sums = Table(
    "ledger_sums",
    metadata,
    Column("day", Date, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("reserved_usd", Numeric, nullable=False, server_default=_NOTHING),
    Column("settled_usd", Numeric, nullable=False, server_default=_NOTHING),
    Column("released_usd", Numeric, nullable=False, server_default=_NOTHING),
    Column("refunded_usd", Numeric, nullable=False, server_default=_NOTHING),
)
"""What the entries of a day come to, as far as their transactions are before the mark."""

ledger_mark = Table(
    "ledger_mark",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("transaction", BigInteger, nullable=False),
    Column("identity", Text),
    CheckConstraint("one", name="one"),
)
"""Up to which transaction entries are summed, in the database of this identity: another one counts otherwise."""
