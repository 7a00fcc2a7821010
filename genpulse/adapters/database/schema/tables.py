"""The tables, as Alembic compares them with the database."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from genpulse.adapters.database.schema.asset_tables import asset_uses as asset_uses
from genpulse.adapters.database.schema.asset_tables import assets as assets
from genpulse.adapters.database.schema.asset_tables import doomed_objects as doomed_objects
from genpulse.adapters.database.schema.asset_tables import thumbnails as thumbnails
from genpulse.adapters.database.schema.asset_tables import uploaded_files as uploaded_files
from genpulse.adapters.database.schema.console_tables import console_actions as console_actions
from genpulse.adapters.database.schema.console_tables import console_sessions as console_sessions
from genpulse.adapters.database.schema.key_tables import api_keys as api_keys
from genpulse.adapters.database.schema.key_tables import client_tokens as client_tokens
from genpulse.adapters.database.schema.key_tables import key_webhook_secrets as key_webhook_secrets
from genpulse.adapters.database.schema.key_tables import message_keys as message_keys
from genpulse.adapters.database.schema.key_tables import signing_secret as signing_secret
from genpulse.adapters.database.schema.ledger_table import ledger as ledger
from genpulse.adapters.database.schema.metadata import metadata as metadata
from genpulse.adapters.database.schema.queue_tables import queue as queue
from genpulse.adapters.database.schema.queue_tables import queue_turns as queue_turns
from genpulse.adapters.database.schema.queue_tables import renewals as renewals
from genpulse.adapters.database.schema.queue_tables import workers as workers
from genpulse.adapters.database.schema.spending_tables import budget_warnings as budget_warnings
from genpulse.adapters.database.schema.spending_tables import spending as spending
from genpulse.adapters.database.schema.tombstones import tombstones as tombstones
from genpulse.adapters.database.schema.usage_tables import usage_sums as usage_sums

_Moment = DateTime(timezone=True)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("input", JSONB, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("webhook_url", Text),
    Column("deadline_at", _Moment),
    Column("idempotency_key", Text),
    Column("fingerprint", Text, nullable=False, server_default=""),
    Column("progress", Double),
    Column("outputs", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("error", JSONB),
    Column("cost", JSONB),
    Column("price_usd", Numeric),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("lease", Uuid),
    Column("cancel_requested_at", _Moment),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("created_at", _Moment, nullable=False),
    Column("started_at", _Moment),
    Column("finished_at", _Moment),
    Column("order_reference", Text),
    Column("order_account", Text),
    Column("order_sent_at", _Moment),
    Column("order_job_id", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("losses", Integer, nullable=False, server_default="0"),
    Column("retried_at", _Moment),
    Column("waiting_for", Text),
    Column("waiting_since", _Moment),
    Column("last_error", JSONB),
    Column("next_try_at", _Moment),
    Column("spent_day", Date),
    Column("warnings", JSONB),
    Column("order_stop_at", _Moment),
    Column("exact_input", Text),
    Column("batch_id", Uuid),
    Column("deleted_at", _Moment),
    Column("retain_s", Integer),
    Column("run_at", _Moment),
    Column("depends_on", ARRAY(Uuid)),
    Column("route", JSONB),
    Column("result", Text),
    Column("budget_scopes", ARRAY(Text)),
    Column("order_settled_usd", Numeric),
    Column("order_settled_day", Date),
    Column("webhook_choice", JSONB),
    Column("deadline_is_for_start", Boolean, nullable=False, server_default="false"),
    Column("client_token", Uuid),
    CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'canceled')", name="status"),
    CheckConstraint("(status IN ('queued', 'running')) = (finished_at IS NULL)", name="finished"),
    CheckConstraint("(status = 'running') = (lease IS NOT NULL)", name="lease"),
)

Index(
    "uq_tasks_idempotency_key",
    tasks.c.owner,
    tasks.c.idempotency_key,
    unique=True,
    postgresql_where=tasks.c.idempotency_key.is_not(None),
)
# No index knows `status`, `lease`, `attempt`, `progress` or `seq`: what changes while a task runs then changes in
# its page alone (HOT), for which the fill factor leaves room.
Index("ix_tasks_live", tasks.c.id, postgresql_where=tasks.c.finished_at.is_(None))
Index("ix_tasks_failed", tasks.c.id, postgresql_where=tasks.c.error.is_not(None))
Index("ix_tasks_canceled", tasks.c.id, postgresql_where=tasks.c.cancel_requested_at.is_not(None))
Index("ix_tasks_provider_id", tasks.c.provider, tasks.c.id)
Index("ix_tasks_kind_id", tasks.c.kind, tasks.c.id)
Index(
    "ix_tasks_on_route",
    tasks.c.provider,
    tasks.c.id,
    postgresql_where=text("route IS NOT NULL AND finished_at IS NULL"),
)
Index(
    "ix_tasks_deadline_at",
    tasks.c.deadline_at,
    postgresql_where=text("finished_at IS NULL AND deadline_at IS NOT NULL"),
)

Index("ix_tasks_order_stop_at", tasks.c.order_stop_at, postgresql_where=tasks.c.order_stop_at.is_not(None))
Index("ix_tasks_finished_at", tasks.c.finished_at, postgresql_where=tasks.c.finished_at.is_not(None))
Index(
    "ix_tasks_code_id",
    text("(error ->> 'code')"),
    tasks.c.id,
    postgresql_where=tasks.c.error.is_not(None),
)

Index("ix_tasks_model_id", tasks.c.model, tasks.c.id)
Index("ix_tasks_ended_well", tasks.c.id, postgresql_where=text("finished_at IS NOT NULL AND error IS NULL"))
# What is not in order yet is read by each search, and is put in order by whoever finds it full: so it is short.
_SHORT = {"gin_pending_list_limit": 512}
Index(
    "ix_tasks_metadata",
    tasks.c.metadata,
    postgresql_using="gin",
    postgresql_ops={"metadata": "jsonb_path_ops"},
    postgresql_with=_SHORT,
    postgresql_where=text("metadata <> '{}'::jsonb"),
)
Index(
    "ix_tasks_words",
    func.task_words(tasks.c.input),
    postgresql_using="gin",
    postgresql_with=_SHORT,
    postgresql_where=text("finished_at IS NOT NULL AND input <> '{}'::jsonb"),
)
Index("ix_tasks_batch_id_id", tasks.c.batch_id, tasks.c.id, postgresql_where=tasks.c.batch_id.is_not(None))
Index("ix_tasks_owner_id", tasks.c.owner, tasks.c.id, postgresql_where=text("owner <> ''"))
Index(
    "ix_tasks_unwanted",
    tasks.c.id,
    postgresql_where=text("cancel_requested_at IS NOT NULL AND finished_at IS NULL"),
)

Index(
    "ix_tasks_retained",
    text("retention_end(finished_at, retain_s)"),
    tasks.c.id,
    postgresql_where=text("retain_s IS NOT NULL AND finished_at IS NOT NULL AND deleted_at IS NULL"),
)
Index("ix_tasks_deleted_at", tasks.c.deleted_at, postgresql_where=tasks.c.deleted_at.is_not(None))

batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("idempotency_key", Text),
    Column("fingerprint", Text, nullable=False, server_default=""),
    Column("size", Integer, nullable=False),
    Column("created_at", _Moment, nullable=False),
)
"""A row for each batch; how it stands is in the rows of its tasks."""

Index(
    "uq_batches_idempotency_key",
    batches.c.owner,
    batches.c.idempotency_key,
    unique=True,
    postgresql_where=batches.c.idempotency_key.is_not(None),
)
Index("ix_batches_owner_id", batches.c.owner, batches.c.id)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("client_reference", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("submitting_at", _Moment),
    Column("job_id", Text),
    Column("started_at", _Moment, nullable=False),
    Column("finished_at", _Moment),
    Column("error", JSONB),
    Column("taken_ms", Integer),
    Column("first_polled_ms", Integer),
    Column("last_polled_ms", Integer),
    Column("done_ms", Integer),
    Column("collected_ms", Integer),
    Column("stored_ms", Integer),
    Column("polls", Integer),
    UniqueConstraint("task_id", "number"),
    CheckConstraint(
        "status IN ('running', 'succeeded', 'failed', 'canceled', 'released', 'abandoned')", name="status"
    ),
)
# Written when an attempt ends and not before: those that run stay out of it.
Index("ix_attempts_finished_at", attempts.c.finished_at, postgresql_where=attempts.c.finished_at.is_not(None))

task_sources = Table(
    "task_sources",
    metadata,
    Column("source_id", Uuid, primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True, index=True),
)
"""Which tasks wait for the outputs of which, as long as they wait."""

task_traces = Table(
    "task_traces",
    metadata,
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("traceparent", Text, nullable=False),
    Column("tracestate", Text, nullable=False, server_default=""),
)
"""The span in which a task was submitted: a row for those alone that are traced."""

environment_stamp = Table(
    "environment_stamp",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("environment", Text, nullable=False),
    Column("stamped_at", _Moment, nullable=False, server_default=text("now()")),
    Column("stamped_by", Text, nullable=False),
    Column("identity", Text),
    CheckConstraint("one", name="one"),
)

schema_compatibility = Table(
    "schema_compatibility",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("works_with_revision", Text, nullable=False),
    CheckConstraint("one", name="one"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("task", JSONB, nullable=False),
    Column("created_at", _Moment, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("status_code", Integer),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("next_try_at", _Moment),
    Column("delivered_at", _Moment),
    Column("given_until", _Moment, nullable=False, server_default=text("now() + interval '24 hours'")),
    Column("origin", Text, nullable=False, server_default=""),
    Column("environment", Text, nullable=False, server_default=""),
    Column("tried_at", _Moment),
    Column("form", Text, nullable=False, server_default=""),
    Column("follows", Uuid),
    Column("request_excerpt", Text, nullable=False, server_default=""),
    Column("answer_excerpt", Text, nullable=False, server_default=""),
)
Index("ix_deliveries_tried_at", deliveries.c.tried_at, postgresql_where=deliveries.c.tried_at.is_not(None))
Index("ix_deliveries_task_id", deliveries.c.task_id)
Index(
    "ix_deliveries_failing",
    deliveries.c.origin,
    deliveries.c.created_at,
    postgresql_where=text("delivered_at IS NULL AND tries > 0"),
)
Index(
    "ix_deliveries_next_try_at",
    deliveries.c.next_try_at,
    postgresql_where=deliveries.c.next_try_at.is_not(None),
)
Index(
    "ix_deliveries_origin_next_try_at",
    deliveries.c.origin,
    deliveries.c.next_try_at,
    postgresql_where=deliveries.c.next_try_at.is_not(None),
)
