"""A deadline may be one by which a task has to begin, and not to end."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column(
        "tasks", sa.Column("deadline_is_for_start", sa.Boolean(), nullable=False, server_default="false")
    )


def downgrade() -> None:
    op.drop_column("tasks", "deadline_is_for_start")
