"""The beginnings of what was sent in the last try of a message, and of what came back."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("deliveries")
    for name in ("request_excerpt", "answer_excerpt"):
        op.add_column("deliveries", sa.Column(name, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    for name in ("answer_excerpt", "request_excerpt"):
        op.drop_column("deliveries", name)
