"""The ledger, and what is settled of an order that is still open.

Nothing is filled in: the first entry about a task that lives already tells what was reserved for it. So a process
of the version before, which writes no entries, leaves none that would stand open for ever.
"""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_REFUSAL = """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Entries of the ledger never change. Add one that corrects it.';
END
$$
"""
_TRIGGER = """
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE ON ledger
FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()
"""
_TRANSACTION = sa.text("(pg_current_xact_id()::text)::bigint")


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("order_settled_usd", sa.Numeric()))
    op.add_column("tasks", sa.Column("order_settled_day", sa.Date()))
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_usd", sa.Numeric(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), server_default="", nullable=False),
        sa.Column("flag", sa.Text()),
        sa.Column("reported", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("transaction", sa.BigInteger(), server_default=_TRANSACTION, nullable=False),
        sa.CheckConstraint("kind IN ('reserved', 'settled', 'released', 'refunded')", name="kind"),
        sa.CheckConstraint("amount_usd > 0 OR (amount_usd = 0 AND flag IS NOT NULL)", name="amount"),
    )
    op.execute(_REFUSAL)
    op.execute(_TRIGGER)
    op.create_index("ix_ledger_task_id_id", "ledger", ["task_id", "id"])
    op.create_index(
        "ix_ledger_day_and_more",
        "ledger",
        ["day", "provider", "model", "owner", "kind"],
        postgresql_include=["amount_usd"],
    )
    op.create_index("ix_ledger_transaction", "ledger", ["transaction"])


def downgrade() -> None:
    op.drop_table("ledger")
    op.execute("DROP FUNCTION refuse_ledger_change()")
    op.drop_column("tasks", "order_settled_day")
    op.drop_column("tasks", "order_settled_usd")
