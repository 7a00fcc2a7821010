"""Orders that are open at a vendor belong to their task, and leases to live workers.

The queue becomes a table of ours; what lies in PgQueuer's is taken over, and its schema goes. Stop all workers
before: those of earlier versions know nothing of it.
"""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_CHURN = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0"

_SEQ_GROWS = """
CREATE FUNCTION seq_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'task % would go from % to % without a higher seq', OLD.id, OLD.status, NEW.status
    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tasks_seq_grows';
END
$$
"""
_SEQ_TRIGGER = """
CREATE TRIGGER seq_grows BEFORE UPDATE OF status, cancel_requested_at ON tasks FOR EACH ROW
WHEN ((OLD.status <> NEW.status OR OLD.cancel_requested_at IS DISTINCT FROM NEW.cancel_requested_at)
      AND NEW.seq <= OLD.seq)
EXECUTE FUNCTION seq_grows()
"""

# The newest attempt that knew of something is not always the newest one.
_OPEN_ORDERS = """
UPDATE tasks SET order_reference = last.client_reference, order_account = tasks.provider,
       order_sent_at = coalesce(last.submitting_at, last.started_at), order_job_id = last.job_id
FROM (SELECT DISTINCT ON (task_id) * FROM attempts
      WHERE status IN ('running', 'released', 'abandoned') AND (submitting_at IS NOT NULL OR job_id IS NOT NULL)
      ORDER BY task_id, number DESC) AS last
WHERE last.task_id = tasks.id AND tasks.finished_at IS NULL
"""
_ABANDONED = """
UPDATE attempts SET status = 'abandoned', finished_at = now()
FROM tasks WHERE tasks.id = attempts.task_id AND tasks.status = 'running' AND attempts.status = 'running'
"""
_QUEUED = """
UPDATE tasks SET status = 'queued', lease = NULL, progress = NULL,
       seq = greatest(seq + 1, (seq / 1048576 + 1) * 1048576 - 1)
WHERE status = 'running'
"""
_FROM_PGQUEUER = """
INSERT INTO queue (task_id, provider, priority, due_at, since, begun, ordered, deferred)
SELECT tasks.id, tasks.provider, tasks.priority, coalesce(entry.due_at, now()), now(), entry.begun IS TRUE,
       tasks.order_sent_at IS NOT NULL, coalesce(entry.due_at > now(), false)
FROM tasks LEFT JOIN (SELECT encode(payload, 'hex')::uuid AS task_id, max(execute_after) AS due_at,
                             bool_or(status = 'picked' OR priority > 500) AS begun
                      FROM pgqueuer.pgqueuer GROUP BY payload) AS entry ON entry.task_id = tasks.id
WHERE tasks.finished_at IS NULL
"""
_FROM_TASKS = """
INSERT INTO queue (task_id, provider, priority, begun, ordered)
SELECT id, provider, priority, attempt > 0, order_sent_at IS NOT NULL FROM tasks WHERE finished_at IS NULL
"""


def upgrade() -> None:
    migration_steps.lock("tasks", "attempts")
    _change_tasks()
    _create_workers()
    _create_queue()
    op.execute(_OPEN_ORDERS)
    op.execute(_ABANDONED)
    op.execute(_QUEUED)
    known = op.get_bind().execute(sa.text("SELECT to_regclass('pgqueuer.pgqueuer') IS NOT NULL")).scalar()
    op.execute(_FROM_PGQUEUER if known else _FROM_TASKS)
    op.execute("DROP SCHEMA IF EXISTS pgqueuer CASCADE")
    op.execute(_SEQ_GROWS)
    op.execute(_SEQ_TRIGGER)


def _change_tasks() -> None:
    for column in (
        sa.Column("order_reference", sa.Text()),
        sa.Column("order_account", sa.Text()),
        sa.Column("order_sent_at", sa.DateTime(timezone=True)),
        sa.Column("order_job_id", sa.Text()),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("losses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retried_at", sa.DateTime(timezone=True)),
        sa.Column("waiting_for", sa.Text()),
        sa.Column("waiting_since", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.dialects.postgresql.JSONB()),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("tasks", column)
    op.drop_column("tasks", "ticket")


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lease", sa.Interval(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_ahead_s", sa.Double(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_table(
        "renewals",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("one", name="ck_renewals_one"),
        sa.PrimaryKeyConstraint("one", name="pk_renewals"),
    )
    op.execute("INSERT INTO renewals DEFAULT VALUES")


def _create_queue() -> None:
    op.create_table(
        "queue",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("begun", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ordered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deferred", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("limited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("lease", sa.Uuid()),
        sa.Column("worker", sa.Uuid()),
        sa.CheckConstraint("(lease IS NULL) = (worker IS NULL)", name="ck_queue_lease"),
        sa.PrimaryKeyConstraint("task_id", name="pk_queue"),
    )
    op.create_index(
        "ix_queue_waiting",
        "queue",
        ["provider", sa.text("begun DESC"), sa.text("priority DESC"), "due_at", "task_id"],
        postgresql_where=sa.text("lease IS NULL"),
    )
    op.create_index("ix_queue_deferred", "queue", ["due_at"], postgresql_where=sa.text("deferred"))
    op.create_index("ix_queue_limited", "queue", ["provider"], postgresql_where=sa.text("limited"))
    op.create_index("ix_queue_worker", "queue", ["worker"], postgresql_where=sa.text("worker IS NOT NULL"))
    op.execute(f"ALTER TABLE queue SET ({_CHURN})")


def downgrade() -> None:
    """The queue of the version before is put in place by its own `db upgrade`, empty: drain this one first."""
    op.execute("DROP TRIGGER seq_grows ON tasks")
    op.execute("DROP FUNCTION seq_grows()")
    for table in ("queue", "renewals", "workers"):
        op.drop_table(table)
    op.drop_index("ix_tasks_unwanted", "tasks", if_exists=True)
    op.add_column("tasks", sa.Column("ticket", sa.BigInteger()))
    for column in (
        "next_try_at",
        "last_error",
        "waiting_since",
        "waiting_for",
        "retried_at",
        "losses",
        "failures",
        "order_job_id",
        "order_sent_at",
        "order_account",
        "order_reference",
    ):
        op.drop_column("tasks", column)
