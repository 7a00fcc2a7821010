"""To which environment the database belongs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "environment_stamp",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("stamped_by", sa.Text(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_environment_stamp_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_environment_stamp")),
    )


def downgrade() -> None:
    op.drop_table("environment_stamp")
