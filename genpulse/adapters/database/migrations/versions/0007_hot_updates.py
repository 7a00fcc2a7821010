"""Indexes that leave what changes while a task runs alone, room in pages for it, and vacuum that keeps up."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ROOM = "fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05"


def upgrade() -> None:
    migration_steps.lock("tasks", "attempts")
    for name in ("ix_tasks_status_id", "ix_tasks_deadline_at", "ix_tasks_code_id"):
        op.drop_index(name, "tasks", if_exists=True)
    for table in ("tasks", "attempts"):
        op.execute(f"ALTER TABLE {table} SET ({_ROOM})")


def downgrade() -> None:
    for table in ("tasks", "attempts"):
        op.execute(
            f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor,"
            " autovacuum_vacuum_insert_scale_factor)"
        )
    for name in (
        "ix_tasks_code_id",
        "ix_tasks_deadline_at",
        "ix_tasks_canceled",
        "ix_tasks_failed",
        "ix_tasks_live",
    ):
        op.drop_index(name, "tasks", if_exists=True)
    op.create_index(
        "ix_tasks_deadline_at",
        "tasks",
        ["deadline_at"],
        postgresql_where=sa.text("status = 'queued' AND deadline_at IS NOT NULL"),
    )
    op.create_index("ix_tasks_status_id", "tasks", ["status", "id"])
