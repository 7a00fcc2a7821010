"""Columns, numbers of events, and channels: what the statements share."""

from uuid import UUID

from genpulse.domain.event import SPAN

CHANNEL = "genpulse_queue"
"""Where PostgreSQL tells of each provider that has something to claim."""

_WORKER = "genpulse_worker_"


def worker_channel(column: str) -> str:
    """SQL for the channel on which the worker whose id is in this column hears of its tasks."""
    return f"'{_WORKER}' || replace({column}::text, '-', '')"


def channel_of(worker: UUID) -> str:
    """The same for a worker that is known here."""
    return f"{_WORKER}{worker.hex}"


ORDER = ("order_reference", "order_account", "order_sent_at", "order_job_id")

NAMES = (
    *("id", "environment", "owner", "kind", "provider", "model", "status", "priority", "input", "metadata"),
    *("webhook_url", "deadline_at", "price_usd", "progress", "outputs", "error", "cost", "attempt", "failures"),
    *("losses", "cancel_requested_at", "retried_at", "seq", "created_at", "started_at", "finished_at", *ORDER),
    *("waiting_for", "waiting_since", "last_error", "next_try_at", "warnings", "exact_input", "retain_s"),
    *("batch_id", "run_at", "depends_on", "route", "webhook_choice", "deadline_is_for_start", "client_token"),
)

ATTEMPT_TIMES = (
    *("taken_ms", "first_polled_ms", "last_polled_ms", "done_ms", "collected_ms", "stored_ms", "polls"),
)
"""Columns of `attempts` by the fields of `AttemptTimes`, in their order."""

TASK = ", ".join(f"tasks.{name}" for name in NAMES)
"""What `rows.task_of` reads, by name: a column that a newer version adds changes no result."""

WHOLE_TASK = f"{TASK}, tasks.result"
"""The same of a task that may have succeeded, with what its provider answered."""

ONE_OF_MANY = f"{TASK}, tasks.result IS NOT NULL AS has_result"
"""The same of one among many, of which no answer is read: it may be large."""

AT_BEGIN = f"(tasks.seq / {SPAN} + 1) * {SPAN}"

AT_END = f"greatest(tasks.seq + 1, {AT_BEGIN} - 1)"

AT_WISH = f"greatest(tasks.seq + 1, tasks.seq / {SPAN} * {SPAN} + {SPAN // 2})"
