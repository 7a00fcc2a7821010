"""Tasks and API keys may have a retention of their own."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks", "api_keys")
    op.add_column("tasks", sa.Column("retain_s", sa.Integer()))
    op.add_column("api_keys", sa.Column("retain_s", sa.Integer()))


def downgrade() -> None:
    op.drop_column("api_keys", "retain_s")
    op.drop_index("ix_tasks_retained", "tasks", if_exists=True)
    op.drop_column("tasks", "retain_s")
