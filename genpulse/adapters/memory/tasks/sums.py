"""Counts and sums of tasks inside this process."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from uuid import UUID

from genpulse.domain.failure import FailureCode
from genpulse.domain.money.ledger import Balance, LedgerEntry
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
_OF_LEDGER: Mapping[UsageField, Callable[[LedgerEntry], str]] = {
    UsageField.DAY: lambda entry: entry.day.isoformat(),
    UsageField.PROVIDER: lambda entry: entry.provider,
    UsageField.MODEL: lambda entry: entry.model,
    UsageField.KEY: lambda entry: entry.owner,
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


def used(tasks: Sequence[Task], entries: Sequence[LedgerEntry], query: UsageQuery) -> tuple[UsageRow, ...]:
    """What these tasks and entries of the ledger came to, put together as the query says."""
    rows: dict[_Together, list[Task]] = defaultdict(list)
    money: dict[_Together, list[LedgerEntry]] = defaultdict(list)
    of_task: dict[UUID, _Together] = {}
    for task in tasks:
        if query.start <= task.created_at < query.end and query.owner in {None, task.owner}:
            metadata = tuple(task.metadata.get(name) for name in query.metadata)
            of_task[task.id] = tuple(_VALUES[field](task) for field in query.fields), metadata
            rows[of_task[task.id]].append(task)
    for entry in entries:
        if query.owner not in {None, entry.owner} or entry.day < query.first_day:
            continue
        if not query.is_of_ledger and entry.task_id in of_task:
            money[of_task[entry.task_id]].append(entry)
        if query.is_of_ledger and entry.day <= query.last_day:
            money[tuple(_OF_LEDGER[field](entry) for field in query.fields), ()].append(entry)
    found = sorted({*rows, *money}, key=_order)[: query.limit]
    return tuple(_used(*together, rows[together], money[together]) for together in found)


def _order(together: _Together) -> tuple[tuple[str, ...], tuple[tuple[bool, str], ...]]:
    """What is not there comes last, as in PostgreSQL."""
    values, metadata = together
    return values, tuple((value is None, value or "") for value in metadata)


def _used(
    values: tuple[str, ...],
    metadata: tuple[str | None, ...],
    tasks: Sequence[Task],
    entries: Sequence[LedgerEntry],
) -> UsageRow:
    prices = [task.price_usd for task in tasks if task.price_usd is not None]
    return UsageRow(
        values,
        metadata,
        Counter(task.status for task in tasks),
        cost_of(tasks),
        sum(prices, Decimal(0)),
        len(tasks) - len(prices),
        Balance.of(entries),
    )
