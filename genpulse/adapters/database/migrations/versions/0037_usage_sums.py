"""Sums of usage: of tasks by the hour in which they came, and of the ledger by day.

Tasks change while they run, and hardly afterwards. So the ended tasks of an hour that is over for a while are
counted once, and what changes of old tasks afterwards is noted by triggers, which say nothing of young ones: what
most statements change is not noted.
"""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_GROUP = ("provider", "model", "owner")
_MONEY = ("reserved", "settled", "released", "refunded")

_OLD = "clock_timestamp() - interval '10 minutes'"


def _counted(row: str) -> str:
    names = ("status", "provider", "model", "owner", "created_at", "cost ->> 'amount_usd'", "price_usd")
    return f"({row}.finished_at IS NULL, {', '.join(f'{row}.{name}' for name in names)})"


# The same amounts as elsewhere: what a vendor says may be no number.
_COST = """
CREATE FUNCTION usage_cost(amount text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN amount ~ '^[0-9]{1,12}([.][0-9]{1,100})?(E-[0-9]{1,2})?$' THEN amount::numeric END
$$
"""
_INTO = """
INSERT INTO usage_changes (hour, provider, model, owner, status, tasks, cost_usd, price_usd, unpriced)
"""
_NOTE_TASK = f"""
CREATE FUNCTION note_usage_of_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.finished_at IS NOT NULL THEN
        {_INTO}
        VALUES (date_trunc('hour', OLD.created_at, 'UTC'), OLD.provider, OLD.model, OLD.owner, OLD.status, -1,
                -coalesce(usage_cost(OLD.cost ->> 'amount_usd'), 0), -coalesce(OLD.price_usd, 0),
                CASE WHEN OLD.price_usd IS NULL THEN -1 ELSE 0 END);
    END IF;
    IF NEW.finished_at IS NOT NULL THEN
        {_INTO}
        VALUES (date_trunc('hour', NEW.created_at, 'UTC'), NEW.provider, NEW.model, NEW.owner, NEW.status, 1,
                coalesce(usage_cost(NEW.cost ->> 'amount_usd'), 0), coalesce(NEW.price_usd, 0),
                CASE WHEN NEW.price_usd IS NULL THEN 1 ELSE 0 END);
    END IF;
    RETURN NULL;
END
$$
"""
_NOTE_GONE_TASKS = f"""
CREATE FUNCTION note_usage_of_gone_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_INTO}
    SELECT date_trunc('hour', created_at, 'UTC'), provider, model, owner, status, -count(*),
           -coalesce(sum(usage_cost(cost ->> 'amount_usd')), 0), -coalesce(sum(price_usd), 0),
           -count(*) FILTER (WHERE price_usd IS NULL)
    FROM gone WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
    RETURN NULL;
END
$$
"""  # noqa: S608 - our own names
_NOTE_TOMBSTONE = f"""
CREATE FUNCTION note_usage_of_tombstone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.erased_at IS NOT NULL THEN
        {_INTO}
        VALUES (date_trunc('hour', OLD.created_at, 'UTC'), OLD.provider, OLD.model, OLD.owner, OLD.status, -1,
                -coalesce(usage_cost(OLD.cost_usd::text), 0), -coalesce(OLD.price_usd, 0),
                CASE WHEN OLD.price_usd IS NULL THEN -1 ELSE 0 END);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.erased_at IS NOT NULL THEN
        {_INTO}
        VALUES (date_trunc('hour', NEW.created_at, 'UTC'), NEW.provider, NEW.model, NEW.owner, NEW.status, 1,
                coalesce(usage_cost(NEW.cost_usd::text), 0), coalesce(NEW.price_usd, 0),
                CASE WHEN NEW.price_usd IS NULL THEN 1 ELSE 0 END);
    END IF;
    RETURN NULL;
END
$$
"""
_SUMS_OF_GONE = ", ".join(
    f"coalesce(sum(amount_usd) FILTER (WHERE kind = '{kind}'), 0) AS {kind}_usd" for kind in _MONEY
)
# Whoever sums up holds the mark: entries are in the sums or they are not, and that is known when it is ours.
_TAKE_FROM_SUMS = f"""
CREATE FUNCTION take_from_ledger_sums() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mark bigint;
BEGIN
    SELECT transaction INTO mark FROM ledger_mark FOR UPDATE;
    UPDATE ledger_sums AS sums
    SET {", ".join(f"{kind}_usd = sums.{kind}_usd - less.{kind}_usd" for kind in _MONEY)}
    FROM (SELECT day, provider, model, owner, {_SUMS_OF_GONE}
          FROM gone WHERE transaction < mark GROUP BY 1, 2, 3, 4) AS less
    WHERE (sums.day, sums.provider, sums.model, sums.owner) = (less.day, less.provider, less.model, less.owner);
    RETURN NULL;
END
$$
"""  # noqa: S608 - our own names
_TRIGGERS = (
    f"""
CREATE TRIGGER note_usage_of_late AFTER INSERT ON tasks FOR EACH ROW
WHEN (NEW.finished_at IS NOT NULL AND NEW.created_at < {_OLD})
EXECUTE FUNCTION note_usage_of_task()
""",
    f"""
CREATE TRIGGER note_usage_of_old
AFTER UPDATE OF finished_at, status, provider, model, owner, created_at, cost, price_usd ON tasks FOR EACH ROW
WHEN ((OLD.finished_at IS NOT NULL OR NEW.finished_at IS NOT NULL)
      AND least(OLD.created_at, NEW.created_at) < {_OLD}
      AND {_counted("OLD")} IS DISTINCT FROM {_counted("NEW")})
EXECUTE FUNCTION note_usage_of_task()
""",
    """
CREATE TRIGGER note_usage_of_gone AFTER DELETE ON tasks REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION note_usage_of_gone_tasks()
""",
    """
CREATE TRIGGER note_usage AFTER INSERT OR UPDATE OR DELETE ON tombstones FOR EACH ROW
EXECUTE FUNCTION note_usage_of_tombstone()
""",
    """
CREATE TRIGGER take_from_ledger_sums AFTER DELETE ON ledger REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION take_from_ledger_sums()
""",
)


def upgrade() -> None:
    migration_steps.lock("tasks", "tombstones", "ledger")
    op.create_table(
        "usage_hours",
        sa.Column("hour", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hour", name="pk_usage_hours"),
    )
    for table, since in (("usage_sums", "hour"), ("usage_days", "day")):
        op.create_table(
            table,
            sa.Column(since, _MOMENT, nullable=False),
            *(sa.Column(name, sa.Text(), nullable=False) for name in (*_GROUP, "status")),
            sa.Column("tasks", sa.BigInteger(), nullable=False),
            sa.Column("cost_usd", sa.Numeric(), nullable=False),
            sa.Column("price_usd", sa.Numeric(), nullable=False),
            sa.Column("unpriced", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint(since, *_GROUP, "status", name=f"pk_{table}"),
        )
    op.create_table(
        "usage_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*_GROUP, "status")),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(), nullable=False),
        sa.Column("price_usd", sa.Numeric(), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_changes"),
    )
    op.create_index("ix_usage_changes_hour", "usage_changes", ["hour"])
    op.create_table(
        "ledger_sums",
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _GROUP),
        *(sa.Column(f"{kind}_usd", sa.Numeric(), server_default="0", nullable=False) for kind in _MONEY),
        sa.PrimaryKeyConstraint("day", *_GROUP, name="pk_ledger_sums"),
    )
    op.create_table(
        "ledger_mark",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.Text()),
        sa.PrimaryKeyConstraint("one", name="pk_ledger_mark"),
        sa.CheckConstraint("one", name="ck_ledger_mark_one"),
    )
    for function in (_COST, _NOTE_TASK, _NOTE_GONE_TASKS, _NOTE_TOMBSTONE, _TAKE_FROM_SUMS):
        op.execute(function)
    for trigger in _TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.execute("DROP TRIGGER take_from_ledger_sums ON ledger")
    op.execute("DROP TRIGGER note_usage ON tombstones")
    for name in ("late", "old", "gone"):
        op.execute(f"DROP TRIGGER note_usage_of_{name} ON tasks")
    for name in (
        "take_from_ledger_sums()",
        "note_usage_of_tombstone()",
        "note_usage_of_gone_tasks()",
        "note_usage_of_task()",
        "usage_cost(text)",
    ):
        op.execute(f"DROP FUNCTION {name}")
    for table in ("ledger_mark", "ledger_sums", "usage_changes", "usage_days", "usage_sums", "usage_hours"):
        op.drop_table(table)
