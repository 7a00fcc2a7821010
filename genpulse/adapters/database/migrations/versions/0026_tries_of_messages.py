"""Messages know when they were tried last, so that tries can be counted."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("deliveries")
    op.add_column("deliveries", sa.Column("tried_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_index("ix_attempts_finished_at", "attempts", if_exists=True)
    op.drop_index("ix_deliveries_tried_at", "deliveries", if_exists=True)
    op.drop_column("deliveries", "tried_at")
