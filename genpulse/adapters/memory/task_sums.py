"""Counts and sums of tasks inside this process."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal

from genpulse.domain.failure import FailureCode
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.search.usage import UsageField, UsageQuery, UsageRow
from genpulse.domain.task import Task, TaskStatus

_Together = tuple[tuple[str, ...], tuple[str | None, ...]]
_VALUES: Mapping[UsageField, Callable[[Task], str]] = {
    UsageField.DAY: lambda task: task.created_at.astimezone(UTC).date().isoformat(),
    UsageField.PROVIDER: lambda task: task.provider,
    UsageField.MODEL: lambda task: task.model,
    UsageField.KEY: lambda task: task.owner,
    UsageField.STATUS: lambda task: task.status.value,
}
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


def used(tasks: Sequence[Task], query: UsageQuery) -> tuple[UsageRow, ...]:
    """What these tasks came to, put together as the query says."""
    meant = [
        task for task in tasks if query.start <= task.created_at < query.end and query.owner in {None, task.owner}
    ]
    rows: dict[_Together, list[Task]] = defaultdict(list)
    for task in meant:
        metadata = tuple(task.metadata.get(name) for name in query.metadata)
        rows[tuple(_VALUES[field](task) for field in query.fields), metadata].append(task)
    return tuple(_used(*together, rows[together]) for together in sorted(rows, key=_order)[: query.limit])


def _order(together: _Together) -> tuple[tuple[str, ...], tuple[tuple[bool, str], ...]]:
    """What is not there comes last, as in PostgreSQL."""
    values, metadata = together
    return values, tuple((value is None, value or "") for value in metadata)


def _used(values: tuple[str, ...], metadata: tuple[str | None, ...], tasks: Sequence[Task]) -> UsageRow:
    group = _group(_alike(tasks[0]), tasks)
    statuses = Counter(task.status for task in tasks)
    return UsageRow(values, metadata, statuses, group.cost_usd, group.price_usd, group.count - group.priced)
