"""Tasks and API keys may have a retention of their own."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


# How long after 1970 a task is to go: an index takes what depends on no time zone, and a moment and seconds do.
_FUNCTION = """
CREATE FUNCTION retention_end(finished_at timestamptz, retain_s integer) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT finished_at - to_timestamp(0) + retain_s * interval '1 second'
$$
"""


def upgrade() -> None:
    migration_steps.lock("tasks", "api_keys")
    op.execute(_FUNCTION)
    op.add_column("tasks", sa.Column("retain_s", sa.Integer()))
    op.add_column("api_keys", sa.Column("retain_s", sa.Integer()))


def downgrade() -> None:
    op.drop_column("api_keys", "retain_s")
    op.drop_index("ix_tasks_retained", "tasks", if_exists=True)
    op.drop_column("tasks", "retain_s")
    op.execute("DROP FUNCTION retention_end(timestamptz, integer)")
