"""Owners of waiting tasks take turns, by the weights of their keys.

What waits already has no owner in the queue and shares the turns of tasks without a key, as does what an older
version goes on to write.
"""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_steps.lock("queue", "api_keys")
    op.add_column("queue", sa.Column("owner", sa.Text(collation="C"), server_default="", nullable=False))
    op.add_column("api_keys", sa.Column("weight", sa.SmallInteger(), server_default="1", nullable=False))
    op.create_table(
        "queue_turns",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.Text(collation="C"), nullable=False),
        sa.Column("taken", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "priority", name="pk_queue_turns"),
    )


def downgrade() -> None:
    op.drop_index("ix_queue_turns", "queue", if_exists=True)
    op.drop_index("ix_queue_owners", "queue", if_exists=True)
    op.drop_index("ix_api_keys_weight", "api_keys", if_exists=True)
    op.drop_table("queue_turns")
    op.drop_column("api_keys", "weight")
    op.drop_column("queue", "owner")
