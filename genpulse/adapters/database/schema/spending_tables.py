"""The tables of what was spent, and of budgets that came near."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from genpulse.adapters.database.schema.metadata import metadata

_Moment = DateTime(timezone=True)

spending = Table(
    "spending",
    metadata,
    Column("day", Date, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("usd", Numeric, nullable=False, server_default="0"),
    Column("tasks", BigInteger, nullable=False, server_default="0"),
    Column("active", BigInteger, nullable=False, server_default="0"),
)
"""What the tasks of a scope have come to on a day; with the owner '' all tasks: see `spending_counters.py`."""

budget_warnings = Table(
    "budget_warnings",
    metadata,
    Column("counter", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("begins", Date, primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("noted_at", _Moment, nullable=False, server_default=text("now()")),
    Column("next_try_at", _Moment),
)
"""Which limits have come near, once a period; `next_try_at` is when somebody is to be told of it, if ever."""
