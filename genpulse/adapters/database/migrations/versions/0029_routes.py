"""A task may have a route: several models, of which it is at one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from genpulse.adapters.database.schema import migration_steps

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("route", JSONB()))


def downgrade() -> None:
    op.drop_index("ix_tasks_on_route", "tasks", if_exists=True)
    op.drop_column("tasks", "route")
