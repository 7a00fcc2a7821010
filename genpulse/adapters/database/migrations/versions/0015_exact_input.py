"""Inputs whose numbers `jsonb` would change, kept as text beside it, and the highest priority of an API key."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks", "api_keys")
    op.add_column("tasks", sa.Column("exact_input", sa.Text()))
    op.add_column("api_keys", sa.Column("max_priority", sa.SmallInteger()))


def downgrade() -> None:
    op.drop_column("api_keys", "max_priority")
    op.drop_column("tasks", "exact_input")
