"""What is odd about outputs, and orders of ended tasks that are still to be stopped at their vendor."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from genpulse.adapters.database.schema import migration_steps

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("warnings", postgresql.JSONB()))
    op.add_column("tasks", sa.Column("order_stop_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("tasks", "order_stop_at")
    op.drop_column("tasks", "warnings")
