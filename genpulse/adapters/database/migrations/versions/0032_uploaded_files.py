"""What a caller says of a file that it brings is kept: its name, media type and metadata."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from genpulse.adapters.database.schema import migration_steps

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("assets")
    op.create_table(
        "uploaded_files",
        sa.Column("asset_id", sa.Uuid(), sa.ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("md5", sa.Text(), nullable=False),
        sa.Column("metadata", JSONB(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("uploaded_files")
