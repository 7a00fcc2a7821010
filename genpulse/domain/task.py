"""A task: what was asked for, where it stands, and which moves between its states are legal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

from genpulse.domain.assets.asset import Asset
from genpulse.domain.failure import Failure
from genpulse.domain.json.value import JsonObject
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.routing.task_route import TaskRoute
from genpulse.domain.submission.file_reference import InputFile
from genpulse.domain.submission.webhook_choice import WebhookChoice
from genpulse.domain.trace_context import TraceContext
from genpulse.domain.value import value
from genpulse.domain.warning import TaskWarning


class TaskStatus(StrEnum):
    """Where a task stands. The last three are ends; only a failed task can leave its end, by a retry."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        """Whether this is an end: nothing more happens by itself."""
        return self in ENDED


ENDED = frozenset({TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELED})

LEGAL_MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.QUEUED: frozenset({TaskStatus.RUNNING, TaskStatus.CANCELED, TaskStatus.FAILED}),
    TaskStatus.RUNNING: frozenset({TaskStatus.QUEUED, TaskStatus.RUNNING, *ENDED}),
    TaskStatus.FAILED: frozenset({TaskStatus.QUEUED}),
    TaskStatus.SUCCEEDED: frozenset(),
    TaskStatus.CANCELED: frozenset(),
}
"""Where a task may go from each state; the statements of the stores are held against it.

RUNNING to RUNNING is a take-over: the worker that held the task is gone and another one begins.
"""


class Priority(IntEnum):
    """Of two tasks that wait, the one with the higher number starts first."""

    HIGH = 10
    NORMAL = 0
    LOW = -10

    @property
    def word(self) -> str:
        """The name that the public API uses."""
        return self.name.lower()


@value
class NewTask:
    """A task that passed all checks and is about to be written.

    `fingerprint` is a digest of the body as it was sent, to tell a repeated request from another one
    under the same `idempotency_key`. `owner` is the API key's id, empty where none is needed. `price_usd` is what
    it costs at most in US dollars, None when nobody knows. `deadline_s` is in seconds from when it is written.
    `batch_id` is the batch with which it is submitted, None for one alone.
    It does not begin before `run_at`, from which `deadline_s` then counts. `retain_s` seconds after its end it is
    deleted; None: when the installation keeps it no longer. `files` are the fields of the input that take a file;
    they are not kept. It waits for the tasks in `depends_on`, whose outputs it takes. `rule_version` is that of
    the rule that gives its price. With a `route` the model is the first one that is tried, and the price that of
    the dearest. `webhook_choice` is what is told at `webhook_url`, None for the end in our own form.
    With `deadline_is_for_start` the deadline is one to have begun, and not to have ended. `client_token` is the id
    of the token by which it was submitted, None where that was done by the key itself. `trace` is the span in
    which it is submitted, None where nothing is traced; it is kept beside the task.
    """

    id: UUID
    environment: str
    kind: str
    provider: str
    model: str
    input: JsonObject
    priority: Priority = Priority.NORMAL
    metadata: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str | None = None
    deadline_s: float | None = None
    price_usd: Decimal | None = None
    idempotency_key: str | None = None
    fingerprint: str = ""
    owner: str = ""
    files: tuple[InputFile, ...] = ()
    run_at: datetime | None = None
    depends_on: tuple[UUID, ...] = ()
    batch_id: UUID | None = None
    retain_s: int | None = None
    route: TaskRoute | None = None
    rule_version: str = ""
    webhook_choice: WebhookChoice | None = None
    deadline_is_for_start: bool = False
    client_token: UUID | None = None
    trace: TraceContext | None = None

    def begins_at(self, now: datetime) -> datetime | None:
        """When it may begin, where that is later than now."""
        return self.run_at if self.run_at is not None and self.run_at > now else None

    def queued(self, created_at: datetime, deadline_at: datetime | None, next_try_at: datetime | None) -> "Task":
        """The task as it stands right after it was written."""
        return Task(
            id=self.id,
            environment=self.environment,
            kind=self.kind,
            provider=self.provider,
            model=self.model,
            status=TaskStatus.QUEUED,
            input=self.input,
            created_at=created_at,
            priority=self.priority,
            metadata=self.metadata,
            webhook_url=self.webhook_url,
            deadline_at=deadline_at,
            price_usd=self.price_usd,
            owner=self.owner,
            batch_id=self.batch_id,
            retain_s=self.retain_s,
            run_at=self.run_at,
            depends_on=self.depends_on,
            next_try_at=next_try_at,
            route=self.route,
            webhook_choice=self.webhook_choice,
            deadline_is_for_start=self.deadline_is_for_start,
            client_token=self.client_token,
        )


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What a task has asked a vendor for and does not know the end of.

    It was sent, or was about to be, at `sent_at` under `reference` in the account of the provider `account`.
    `job_id` is what the vendor calls it, None while its answer is not known. Without a reference nobody knows
    whether there is an order at all: the database was restored from a backup of before it.
    """

    reference: str
    account: str
    sent_at: datetime
    job_id: str | None = None

    @property
    def can_be_looked_up(self) -> bool:
        """Whether a vendor that has a list of orders could say what became of it."""
        return bool(self.reference)


class WaitsFor(StrEnum):
    """What a task that does not go on waits for."""

    NEXT_ATTEMPT = "next_attempt"
    WORKER = "worker"
    PROVIDER = "provider"
    STORAGE = "storage"
    DATABASE = "database"
    RUN_AT = "run_at"
    """Of tasks alone whose `is_put_off` says so: no row holds it."""
    TASK = "task"
    """Of tasks alone whose `awaits_sources` says so: no row holds it."""


@value
class Task:
    """A task as it stands in the database.

    `model` is `provider/name`. `progress` is between 0.0 and 1.0, or None when nothing is known.
    `attempt` counts the attempts that began, `failures` those that failed and count against the policy's limit,
    `losses` workers lost in a row. `seq` grows with every change and orders the task's events. `order` is what is
    open at a vendor. `waiting_for` says since when the task waits for what, `last_error` what the last try said,
    and `next_try_at` when the next one is due. `warnings` is
    what is odd about its outputs. `retried_at` is when somebody last asked for it to run again. `batch_id` is the
    batch with which it was submitted. `retain_s` seconds after its end it is deleted; None: when the installation
    keeps it no longer. Its first attempt does not begin before `run_at`, nor before the tasks in `depends_on`,
    whose outputs it takes, have ended. With a `route` the model is the one at which it stands there.
    `webhook_choice` is what is told at `webhook_url`, None for the end in our own form. With
    `deadline_is_for_start` a task that has begun has no deadline any more. `result` is what the
    provider answered; where several tasks are read at once it is not, and `has_unread_result` says so.
    `client_token` is the id of the token by which it was submitted, None where that was done by the key itself.
    """

    id: UUID
    environment: str
    kind: str
    provider: str
    model: str
    status: TaskStatus
    input: JsonObject
    created_at: datetime
    priority: Priority = Priority.NORMAL
    metadata: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str | None = None
    deadline_at: datetime | None = None
    price_usd: Decimal | None = None
    owner: str = ""
    progress: float | None = None
    outputs: tuple[Asset, ...] = ()
    error: Failure | None = None
    cost: Cost | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    cancel_requested_at: datetime | None = None
    retried_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    seq: int = 0
    order: OpenOrder | None = None
    waiting_for: WaitsFor | None = None
    waiting_since: datetime | None = None
    last_error: Failure | None = None
    next_try_at: datetime | None = None
    warnings: tuple[TaskWarning, ...] = ()
    batch_id: UUID | None = None
    retain_s: int | None = None
    run_at: datetime | None = None
    depends_on: tuple[UUID, ...] = ()
    route: TaskRoute | None = None
    webhook_choice: WebhookChoice | None = None
    deadline_is_for_start: bool = False
    client_token: UUID | None = None
    result: TaskResult | None = None
    has_unread_result: bool = False

    @property
    def model_input(self) -> JsonObject:
        """The input as its model takes it: the order's own, unless the route has brought it to another model."""
        adapted = self.route.current.input if self.route else None
        return self.input if adapted is None else adapted

    @property
    def is_priced(self) -> bool:
        """Whether anything is reserved for it."""
        return bool(self.price_usd)

    @property
    def model_price_usd(self) -> Decimal | None:
        """What it costs at most at the model where it stands, in US dollars; None when nobody knows."""
        return self.price_usd if self.route is None else self.route.current.price_usd

    @property
    def awaits_sources(self) -> bool:
        """Whether it waits for the outputs of other tasks; when these have ended, it is due at `next_try_at`."""
        return bool(self.depends_on) and self.status is TaskStatus.QUEUED and self.next_try_at is None

    @property
    def is_put_off(self) -> bool:
        """Whether it has not begun, and waits for its `run_at`."""
        return self.run_at is not None and self.next_try_at == self.run_at and self.attempt == 0

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody wants it to stop."""
        return self.cancel_requested_at is not None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to a submit. `replayed` when the idempotency key was known and this is the earlier task."""

    task: Task
    replayed: bool = False
