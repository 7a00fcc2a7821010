"""API keys may have webhook secrets of their own."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("api_keys")
    op.create_table(
        "key_webhook_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_key_webhook_secrets"),
        sa.ForeignKeyConstraint(
            ["api_key_id"],
            ["api_keys.id"],
            name="fk_key_webhook_secrets_api_key_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_key_webhook_secrets_api_key_id", "key_webhook_secrets", ["api_key_id"])


def downgrade() -> None:
    op.drop_table("key_webhook_secrets")
