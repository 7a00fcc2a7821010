"""The tables of the queue: what waits and whose turn it is, and the workers that hold it."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Index,
    Interval,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from genpulse.adapters.database.schema.metadata import metadata

_Moment = DateTime(timezone=True)

queue = Table(
    "queue",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("due_at", _Moment, nullable=False, server_default=text("now()")),
    Column("since", _Moment, nullable=False, server_default=text("now()")),
    Column("begun", Boolean, nullable=False, server_default=text("false")),
    Column("ordered", Boolean, nullable=False, server_default=text("false")),
    Column("deferred", Boolean, nullable=False, server_default=text("false")),
    Column("limited", Boolean, nullable=False, server_default=text("false")),
    Column("lease", Uuid),
    Column("worker", Uuid),
    Column("owner", Text(collation="C"), nullable=False, server_default=""),
    CheckConstraint("(lease IS NULL) = (worker IS NULL)", name="lease"),
)
"""A row for each task that has not ended: narrow, since it is written three times in a task's life."""

Index(
    "ix_queue_waiting",
    queue.c.provider,
    text("begun DESC"),
    text("priority DESC"),
    queue.c.due_at,
    queue.c.task_id,
    postgresql_where=queue.c.lease.is_(None),
)
Index(
    "ix_queue_owners",
    queue.c.provider,
    queue.c.priority,
    queue.c.owner,
    queue.c.due_at,
    queue.c.task_id,
    postgresql_where=text("worker IS NULL AND NOT begun"),
)
Index("ix_queue_deferred", queue.c.due_at, postgresql_where=queue.c.deferred)
Index("ix_queue_held", queue.c.task_id, postgresql_where=text("due_at = 'infinity'::timestamptz"))
Index("ix_queue_limited", queue.c.provider, postgresql_where=queue.c.limited)
Index("ix_queue_worker", queue.c.worker, postgresql_where=queue.c.worker.is_not(None))

queue_turns = Table(
    "queue_turns",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("priority", SmallInteger, primary_key=True),
    Column("owner", Text(collation="C"), nullable=False),
    Column("taken", SmallInteger, nullable=False),
)
"""Whose turn it is among the owners of what waits, and how many tasks of that turn were taken."""

workers = Table(
    "workers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("lease", Interval, nullable=False),
    Column("lease_until", _Moment, nullable=False),
    Column("clock_ahead_s", Double, nullable=False, server_default="0"),
)

renewals = Table(
    "renewals",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("since", _Moment, nullable=False, server_default=text("now()")),
    Column("last_at", _Moment, nullable=False, server_default=text("now()")),
    CheckConstraint("one", name="one"),
)
"""Since when some worker could renew its lease without a gap, and when one did last."""
