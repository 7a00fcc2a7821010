"""Tasks may be put off to a time, and wait for the outputs of others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from genpulse.adapters.database.schema import migration_steps

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks", "queue")
    op.add_column("tasks", sa.Column("run_at", sa.DateTime(timezone=True)))
    op.add_column("tasks", sa.Column("depends_on", ARRAY(sa.Uuid())))
    op.create_table(
        "task_sources",
        sa.Column("source_id", sa.Uuid(), primary_key=True),
        sa.Column("task_id", sa.Uuid(), sa.ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("ix_task_sources_task_id", "task_sources", ["task_id"])


def downgrade() -> None:
    op.drop_index("ix_queue_held", "queue", if_exists=True)
    op.drop_table("task_sources")
    op.drop_column("tasks", "depends_on")
    op.drop_column("tasks", "run_at")
