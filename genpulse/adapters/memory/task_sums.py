"""Counts and sums of tasks inside this process."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from genpulse.domain.failure import FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.task_group import TaskGroup

_Alike = tuple[TaskStatus, str, str, FailureCode | None, bool, bool, bool]


def grouped(tasks: Sequence[Task]) -> tuple[TaskGroup, ...]:
    """Those that are alike, the most first."""
    alike: dict[_Alike, list[Task]] = defaultdict(list)
    for task in tasks:
        alike[_alike(task)].append(task)
    groups = (_group(key, members) for key, members in alike.items())
    return tuple(sorted(groups, key=lambda group: -group.count))


def _alike(task: Task) -> _Alike:
    return (
        task.status,
        task.provider,
        task.model,
        task.error.code if task.error else None,
        task.error is not None and task.error.retryable,
        task.order is not None,
        task.order is not None and task.order.job_id is not None,
    )


def _group(alike: _Alike, tasks: Sequence[Task]) -> TaskGroup:
    prices = [task.price_usd for task in tasks if task.price_usd is not None]
    return TaskGroup(*alike, len(tasks), len(prices), sum(prices, Decimal(0)), cost_of(tasks))


def cost_of(tasks: Sequence[Task]) -> Decimal:
    """What they cost, as far as that can be added up."""
    costs = (task.cost.counts_usd for task in tasks if task.cost)
    return sum((cost for cost in costs if cost is not None), Decimal(0))
