"""Client tokens, and by which of them a task was submitted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from genpulse.adapters.database.schema import migration_steps

revision = "0060"
down_revision = "0055"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("client_token", sa.Uuid()))
    op.create_table(
        "client_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("most_uploads", sa.Integer(), nullable=False),
        sa.Column("uploads", ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_client_tokens"),
        sa.UniqueConstraint("digest", name="uq_client_tokens_digest"),
    )
    op.create_index("ix_client_tokens_expires_at", "client_tokens", ["expires_at"])
    op.create_index("ix_client_tokens_owner_id", "client_tokens", ["owner", "id"])


def downgrade() -> None:
    op.drop_table("client_tokens")
    op.drop_column("tasks", "client_token")
