"""Tasks say in which further counters they stand; keys limit months and end customers; warnings are kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from genpulse.adapters.database.schema import migration_steps

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_LIMITS = {
    "monthly_usd": sa.Numeric,
    "limit_by": sa.Text,
    "customer_max_active_tasks": sa.Integer,
    "customer_daily_tasks": sa.Integer,
    "customer_daily_usd": sa.Numeric,
    "customer_monthly_usd": sa.Numeric,
}


def upgrade() -> None:
    migration_steps.lock("tasks", "api_keys")
    op.add_column("tasks", sa.Column("budget_scopes", ARRAY(sa.Text())))
    for name, kind in _LIMITS.items():
        op.add_column("api_keys", sa.Column(name, kind()))
    op.create_table(
        "budget_warnings",
        sa.Column("counter", sa.Text(), primary_key=True),
        sa.Column("period", sa.Text(), primary_key=True),
        sa.Column("begins", sa.Date(), primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
    )


def downgrade() -> None:
    op.drop_table("budget_warnings")
    for name in reversed(_LIMITS):
        op.drop_column("api_keys", name)
    op.drop_column("tasks", "budget_scopes")
