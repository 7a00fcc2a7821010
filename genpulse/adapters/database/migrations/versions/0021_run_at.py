"""Tasks may be put off to a time."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("run_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("tasks", "run_at")
