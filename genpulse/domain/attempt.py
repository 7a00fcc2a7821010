"""One try at a task, journaled so that a worker that dies leaves behind what its successor must know."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from genpulse.domain.asset import Asset
from genpulse.domain.cost import Cost
from genpulse.domain.failure import Failure
from genpulse.domain.task import Task


class AttemptStatus(StrEnum):
    """How a try stands. ABANDONED: its worker is gone. RELEASED: its worker gave it back while stopping."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    RELEASED = "released"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `id` is also the lease: whoever holds it may write the task's state.

    `submitting_at` is set before the provider is asked for something that may cost money, `job_id` as soon
    as the provider has named its job. `client_reference` is sent along where a provider takes one.
    """

    id: UUID
    task_id: UUID
    number: int
    provider: str
    model: str
    worker: str
    client_reference: str
    started_at: datetime
    status: AttemptStatus = AttemptStatus.RUNNING
    submitting_at: datetime | None = None
    job_id: str | None = None
    finished_at: datetime | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A queue entry that this worker has picked. `ticket` is the entry's own number."""

    ticket: int
    task_id: UUID


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a task's state, as long as no other attempt has begun."""

    task_id: UUID
    attempt_id: UUID
    ticket: int


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that began. `previous` is the one before it when that one did not come to an end."""

    lease: Lease
    task: Task
    attempt: Attempt
    previous: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """All outputs are stored."""

    outputs: tuple[Asset, ...]
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task ends here."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The attempt failed and the task waits `delay_s` seconds for the next one."""

    failure: Failure
    delay_s: float


@dataclass(frozen=True, slots=True)
class Canceled:
    """The caller wanted it to stop, and it did."""


@dataclass(frozen=True, slots=True)
class Released:
    """The worker is stopping; another one takes the task at once."""


Outcome: TypeAlias = Succeeded | Failed | RetryLater | Canceled | Released
