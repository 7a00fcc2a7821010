"""The trace of a task is kept beside it, where it has one."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0055"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.create_table(
        "task_traces",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("tracestate", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_task_traces"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_traces_task_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("task_traces")
