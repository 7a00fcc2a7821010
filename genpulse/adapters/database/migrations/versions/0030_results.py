"""What a provider answered, as the text of its JSON: numbers and the order of names stay as they came."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("result", sa.Text()))


def downgrade() -> None:
    op.drop_column("tasks", "result")
