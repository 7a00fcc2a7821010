"""What a task costs at most, and an index for what a day has cost."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("price_usd", sa.Numeric(), nullable=True))
    op.create_index(
        "ix_tasks_spent",
        "tasks",
        ["created_at"],
        postgresql_where=sa.text("price_usd IS NOT NULL OR cost IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_tasks_spent", "tasks")
    op.drop_column("tasks", "price_usd")
