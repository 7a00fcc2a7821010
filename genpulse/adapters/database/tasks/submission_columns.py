"""New tasks as the columns of the statement that writes them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic_core import to_json

from genpulse.adapters.database.statements import submission
from genpulse.adapters.database.tasks import exact_input
from genpulse.adapters.database.tasks.route_document import route_text
from genpulse.adapters.database.tasks.traces import trace_columns
from genpulse.adapters.database.webhooks.choice_document import choice_text
from genpulse.adapters.postgresql.parameters import null_if_empty
from genpulse.domain.deletion import key_digest
from genpulse.domain.task import NewTask


def statement_for(
    tasks: Sequence[NewTask], scopes: Mapping[UUID, str | None]
) -> tuple[str, *tuple[Sequence[object] | None, ...]]:
    """The statement that writes new tasks, and its parameters. `scopes` are their further counters."""
    inputs = [exact_input.columns_of(task.input) for task in tasks]
    columns: tuple[Sequence[object] | None, ...] = _usual_columns(tasks, [text for text, _ in inputs], scopes)
    seldom = any(exact for _, exact in inputs) or any(map(_has_seldom, tasks))
    if seldom:
        columns += _seldom_columns(tasks, [exact for _, exact in inputs])
    is_priced = any(task.price_usd for task in tasks)
    if is_priced:
        columns += ([task.rule_version for task in tasks],)
    is_counted = any(task.owner or task.client_token for task in tasks)
    is_traced = any(task.trace for task in tasks)
    if is_traced:
        columns += trace_columns(tasks)
    return submission.submit(
        seldom=seldom, is_counted=is_counted, is_priced=is_priced, is_traced=is_traced
    ), *columns


def _has_seldom(task: NewTask) -> bool:
    return bool(
        task.retain_s is not None
        or task.batch_id
        or task.run_at
        or task.depends_on
        or task.route
        or task.webhook_choice
        or task.deadline_is_for_start
        or task.client_token
    )


def _usual_columns(
    tasks: Sequence[NewTask], inputs: Sequence[str], scopes: Mapping[UUID, str | None]
) -> tuple[Sequence[object] | None, ...]:
    return (
        [task.id for task in tasks],
        [task.environment for task in tasks],
        [task.owner for task in tasks],
        [task.kind for task in tasks],
        [task.provider for task in tasks],
        [task.model for task in tasks],
        [int(task.priority) for task in tasks],
        inputs,
        [to_json(task.metadata).decode() for task in tasks],
        null_if_empty([task.webhook_url for task in tasks]),
        null_if_empty([task.deadline_s for task in tasks]),
        null_if_empty([task.idempotency_key for task in tasks]),
        null_if_empty([task.fingerprint for task in tasks]),
        null_if_empty([task.price_usd for task in tasks]),
        null_if_empty([digest_of(task) for task in tasks]),
        null_if_empty([scopes[task.id] for task in tasks]),
    )


def _seldom_columns(tasks: Sequence[NewTask], exact_inputs: Sequence[str | None]) -> tuple[Sequence[object], ...]:
    return (
        exact_inputs,
        [task.retain_s for task in tasks],
        [task.batch_id for task in tasks],
        [task.run_at for task in tasks],
        [f"{{{','.join(map(str, task.depends_on))}}}" if task.depends_on else None for task in tasks],
        [None if task.route is None else route_text(task.route) for task in tasks],
        [None if task.webhook_choice is None else choice_text(task.webhook_choice) for task in tasks],
        [task.deadline_is_for_start for task in tasks],
        [task.client_token for task in tasks],
    )


def digest_of(task: NewTask) -> bytes | None:
    """Of its idempotency key, which is kept when the task is deleted; None where it has none."""
    return None if task.idempotency_key is None else key_digest(task.owner, task.idempotency_key)
