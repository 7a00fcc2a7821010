"""What a day has cost, counted where it is spent.

The tasks of today are read while nobody writes: through indexes, in about half a second for a million of them.
"""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What a task has come to: its cost, or its price while it may still be due, and its price for failed attempts.
_USD = """
coalesce(CASE WHEN cost ->> 'amount_usd' ~ '^[0-9]{1,12}([.][0-9]{1,100})?(E-[0-9]{1,2})?$'
              THEN (cost ->> 'amount_usd')::numeric END,
         CASE WHEN status IN ('queued', 'running', 'succeeded') OR (status = 'canceled' AND attempt > 0)
              THEN price_usd END,
         0)
+ CASE WHEN attempt > 1 OR status IN ('queued', 'failed')
       THEN coalesce(price_usd, 0) * (SELECT count(*) FROM attempts
                                      WHERE task_id = tasks.id AND attempts.status = 'failed'
                                        AND attempts.error ->> 'charged' <> 'no')
       ELSE 0 END
"""
_START = "date_trunc('day', now() AT TIME ZONE 'utc') AT TIME ZONE 'utc'"
_TODAY = f"""
SELECT (now() AT TIME ZONE 'utc')::date AS day, owner, {_USD} AS usd FROM tasks
WHERE created_at >= {_START} AND (price_usd IS NOT NULL OR cost IS NOT NULL)
"""  # noqa: S608 - our own names
_OLDER = f"""
SELECT (created_at AT TIME ZONE 'utc')::date AS day, owner, price_usd AS usd FROM tasks
WHERE finished_at IS NULL AND created_at < {_START} AND price_usd IS NOT NULL
"""  # noqa: S608 - our own names
_FILL_USD = f"""
INSERT INTO spending (day, owner, usd)
SELECT day, account, sum(usd)
FROM ({_TODAY} UNION ALL {_OLDER}) AS spent
CROSS JOIN LATERAL (VALUES (''), (nullif(owner, ''))) AS place(account)
WHERE account IS NOT NULL GROUP BY day, account
"""  # noqa: S608 - our own names
# Ids are in the order of time: those of today begin with the milliseconds of its start.
_FILL_TASKS = f"""
INSERT INTO spending (day, owner, tasks)
SELECT (now() AT TIME ZONE 'utc')::date, api_keys.id::text, counted.tasks
FROM api_keys CROSS JOIN LATERAL (
    SELECT count(*) AS tasks FROM tasks
    WHERE owner = api_keys.id::text AND owner <> ''
      AND id >= (lpad(to_hex((extract(epoch FROM {_START}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
) AS counted
WHERE counted.tasks > 0
ON CONFLICT (day, owner) DO UPDATE SET tasks = excluded.tasks
"""  # noqa: S608 - our own names
_FILL_ACTIVE = """
INSERT INTO spending (day, owner, active)
SELECT '-infinity', owner, count(*) FROM tasks WHERE owner <> '' AND finished_at IS NULL GROUP BY owner
"""
_CHURN = "fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000"


def upgrade() -> None:
    migration_steps.lock("tasks")
    op.add_column("tasks", sa.Column("spent_day", sa.Date()))
    op.create_table(
        "spending",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("usd", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("tasks", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("active", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day", "owner", name="pk_spending"),
    )
    op.execute(f"ALTER TABLE spending SET ({_CHURN})")
    op.execute(_FILL_USD)
    op.execute(_FILL_TASKS)
    op.execute(_FILL_ACTIVE)
    op.drop_index("ix_tasks_spent", "tasks", if_exists=True)
    op.drop_index("ix_tasks_active_owner", "tasks", if_exists=True)


def downgrade() -> None:
    op.drop_table("spending")
    op.drop_column("tasks", "spent_day")
