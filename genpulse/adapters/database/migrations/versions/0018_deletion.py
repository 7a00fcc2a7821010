"""Tasks and assets that somebody deletes, what is kept of them, and bytes that go at once."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _trigger(condition: str) -> str:
    return f"""
CREATE OR REPLACE TRIGGER note_delivery AFTER UPDATE OF status ON tasks FOR EACH ROW
WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.webhook_url IS NOT NULL{condition})
EXECUTE FUNCTION note_delivery()
"""


def upgrade() -> None:
    migration_steps.lock("tasks", "assets", "doomed_objects")
    op.add_column("tasks", sa.Column("deleted_at", _MOMENT))
    op.add_column("assets", sa.Column("deleted_at", _MOMENT))
    op.add_column("doomed_objects", sa.Column("expected_for", sa.Uuid()))
    op.add_column("doomed_objects", sa.Column("erased_at", _MOMENT))
    op.add_column("doomed_objects", sa.Column("removed_at", _MOMENT))
    op.create_table(
        "tombstones",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT, nullable=False),
        sa.Column("deleted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary()),
        sa.Column("erased_at", _MOMENT),
        sa.Column("status", sa.Text()),
        sa.Column("finished_at", _MOMENT),
        sa.Column("spent_day", sa.Date()),
        sa.Column("price_usd", sa.Numeric()),
        sa.Column("cost_usd", sa.Numeric()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("assets", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tombstones"),
        sa.CheckConstraint("reason IN ('request', 'retention')", name="ck_tombstones_reason"),
    )
    op.create_index("ix_tombstones_deleted_at", "tombstones", ["deleted_at"])
    op.create_index(
        "ix_tombstones_key_digest",
        "tombstones",
        ["key_digest"],
        postgresql_where=sa.text("key_digest IS NOT NULL"),
    )
    op.execute(_trigger(" AND NEW.deleted_at IS NULL"))


def downgrade() -> None:
    op.execute(_trigger(""))
    op.drop_table("tombstones")
    for index in ("ix_doomed_objects_erased_at", "ix_doomed_objects_expected_for"):
        op.drop_index(index, "doomed_objects", if_exists=True)
    for name in ("removed_at", "erased_at", "expected_for"):
        op.drop_column("doomed_objects", name)
    op.drop_index("ix_assets_deleted_at", "assets", if_exists=True)
    op.drop_column("assets", "deleted_at")
    op.drop_index("ix_tasks_deleted_at", "tasks", if_exists=True)
    op.drop_column("tasks", "deleted_at")
