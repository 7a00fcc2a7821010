"""The stamp knows the cluster, and the tables say which versions can work with them."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WORKS_WITH = "INSERT INTO schema_compatibility (works_with_revision) VALUES ('0012')"
"""0008 to 0012 are of one version, and the one before it cannot work with them."""


def upgrade() -> None:
    op.create_table(
        "schema_compatibility",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("works_with_revision", sa.Text(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_schema_compatibility_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_schema_compatibility")),
    )
    op.execute(_WORKS_WITH)
    migration_steps.lock("environment_stamp")
    op.add_column("environment_stamp", sa.Column("identity", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("environment_stamp", "identity")
    op.drop_table("schema_compatibility")
