"""One try at a task, and the order that it leaves open at a vendor."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from genpulse.domain.assets.asset import Asset
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.failure import Failure
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.routing.task_route import TaskRoute
from genpulse.domain.task import Task
from genpulse.domain.value import value
from genpulse.domain.warning import TaskWarning


class AttemptStatus(StrEnum):
    """How a try stands. ABANDONED: its worker is gone. RELEASED: its worker gave it back while stopping."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    RELEASED = "released"
    ABANDONED = "abandoned"


def reference_of(attempt_id: UUID) -> str:
    """By which a vendor can be asked about what this attempt has ordered."""
    return f"gp-{attempt_id.hex}"


@value
class Attempt:
    """One try: an entry in a log, by which nothing is decided.

    `id` is also the lease: whoever holds it may write the task's state. `submitting_at` is when it asked the
    provider for something that may cost money, `job_id` what the provider calls it; while it runs, both tell of
    the task's open order, which an earlier attempt may have made. `times` are known once its worker has ended it,
    and of a lost worker never.
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
    times: AttemptTimes | None = None

    @classmethod
    def start(cls, task: Task, attempt_id: UUID, worker: str, started_at: datetime) -> "Attempt":
        """The entry of an attempt at a task whose row says already that it runs."""
        return cls(
            id=attempt_id,
            task_id=task.id,
            number=task.attempt,
            provider=task.provider,
            model=task.model,
            worker=worker,
            client_reference=reference_of(attempt_id),
            started_at=started_at,
        )


@dataclass(frozen=True, slots=True)
class Worker:
    """Who claims tasks. What it holds is its own for `lease_s` seconds after its last renewal."""

    id: UUID
    name: str
    lease_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a task's state, as long as no other attempt has begun."""

    task_id: UUID
    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that a worker has, as the database says. `unwanted`: somebody wants the task to stop."""

    lease: Lease
    unwanted: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that began.

    `admitted`: the provider's gate has let it through, and gets that back when the provider is not asked.
    """

    lease: Lease
    task: Task
    attempt: Attempt
    admitted: bool = False


@dataclass(frozen=True, slots=True)
class Succeeded:
    """All outputs that can be had are stored; `warnings` says what is odd about them.

    `result` is what the provider answered, in which files refer to these outputs; None where it is nothing else.
    """

    outputs: tuple[Asset, ...]
    cost: Cost | None = None
    warnings: tuple[TaskWarning, ...] = ()
    result: TaskResult | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task ends here."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The attempt failed and the task waits `delay_s` seconds for the next one.

    `counts`: it is one of the failures that a task may have.
    """

    failure: Failure
    delay_s: float
    counts: bool = True


@dataclass(frozen=True, slots=True)
class MovedOn:
    """The attempt at `left_model` failed, and the task goes on at once at another: where the route stands now."""

    failure: Failure
    left_model: str
    route: TaskRoute


@dataclass(frozen=True, slots=True)
class Canceled:
    """The caller wanted it to stop, and it did.

    `failure` is what nobody knows about money then: an order whose answer never came, and which may be charged.
    """

    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """The worker is stopping; another one takes the task at once."""


Outcome: TypeAlias = Succeeded | Failed | RetryLater | MovedOn | Canceled | Released


@value
class End:
    """How an attempt ended, and what is known about money then.

    `order_open`: the vendor may still hold what was ordered, so that the task keeps its order. `ordered_at`,
    `job_id` and `times` go into the attempt's log: when it asked for something that may cost money, what the
    provider calls that, and how far the attempt came. `stop_later`: an order that stays open is still to be
    stopped at the vendor. Of a task that is not `is_priced` nothing is reserved; it settles what its vendor
    states, and nothing else.
    """

    lease: Lease
    outcome: Outcome
    order_open: bool = False
    ordered_at: datetime | None = None
    job_id: str | None = None
    stop_later: bool = False
    is_priced: bool = True
    times: AttemptTimes | None = None
