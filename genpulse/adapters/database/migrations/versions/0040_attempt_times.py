"""How far an attempt came by when."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0040"
down_revision = "0038"
branch_labels = None
depends_on = None

_NAMES = ("taken_ms", "first_polled_ms", "last_polled_ms", "done_ms", "collected_ms", "stored_ms", "polls")


def upgrade() -> None:
    migration_steps.lock("attempts")
    for name in _NAMES:
        op.add_column("attempts", sa.Column(name, sa.Integer()))


def downgrade() -> None:
    for name in reversed(_NAMES):
        op.drop_column("attempts", name)
