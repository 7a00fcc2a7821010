"""API keys, and the secret that signs addresses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# gen_random_uuid() draws 122 strong random bits; the digest of four makes 32 bytes without an extension.
_FILL = """
INSERT INTO signing_secret (one, secret)
SELECT true, substring(sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) FOR 32)
FROM generate_series(1, 4)
"""


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("max_active_tasks", sa.Integer(), nullable=True),
        sa.Column("daily_tasks", sa.Integer(), nullable=True),
        sa.Column("daily_usd", sa.Numeric(), nullable=True),
        sa.Column("rate", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_table(
        "signing_secret",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("one", name="ck_signing_secret_one"),
        sa.PrimaryKeyConstraint("one", name="pk_signing_secret"),
    )
    op.execute(_FILL)


def downgrade() -> None:
    op.drop_index("ix_tasks_active_owner", "tasks", if_exists=True)
    op.drop_index("ix_tasks_owner_id", "tasks", if_exists=True)
    op.drop_table("signing_secret")
    op.drop_table("api_keys")
