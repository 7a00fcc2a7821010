"""Doing one thing with all tasks that fit a filter: first counted, then done in chunks."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from genpulse.domain.errors import MayBeCharged, NotRetryable, Refused, UnknownTask
from genpulse.domain.failure import FailureCode
from genpulse.domain.keys.caller import Caller
from genpulse.domain.recovery import Unknown
from genpulse.domain.search.looked_through import LOOKED_THROUGH
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import OpenOrder, Task, TaskStatus
from genpulse.lifecycle import cancel as cancelling
from genpulse.lifecycle import retry as retrying
from genpulse.lifecycle.budgets.check import check_provider
from genpulse.lifecycle.removal import deletion
from genpulse.ports import Services

CHUNK = 100
AT_ONCE = 10
_LAST_ID = UUID(int=(1 << 128) - 1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class BulkAction(StrEnum):
    """What can be done with many tasks."""

    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"

    @property
    def statuses(self) -> frozenset[TaskStatus]:
        """Those in which it can be done."""
        return _STATUSES[self]


_STATUSES: Mapping[BulkAction, frozenset[TaskStatus]] = {
    BulkAction.CANCEL: frozenset({TaskStatus.QUEUED, TaskStatus.RUNNING}),
    BulkAction.RETRY: frozenset({TaskStatus.FAILED}),
    BulkAction.DELETE: frozenset(TaskStatus),
}
_NOT_NOW: Mapping[BulkAction, str] = {BulkAction.CANCEL: "ended", BulkAction.RETRY: "not_failed"}
"""Why nothing is done with a task in another status."""
_CHANGED_SINCE = "changed_since"


@dataclass(frozen=True, slots=True)
class Selection:
    """The tasks that are meant, as they stood at `as_of` by the database's clock: none that came later.

    What became of a task after that is not undone: one that has failed since is not run again.
    """

    action: BulkAction
    task_filter: TaskFilter
    as_of: datetime
    back_to: UUID | None = None
    """No older task than this is meant."""

    @property
    def tasks(self) -> TaskFilter:
        """All that fit, and no later one."""
        before = self.task_filter.created_before
        before = self.as_of if before is None else min(before, self.as_of)
        return replace(self.task_filter, created_before=before, id_range=self._id_range)

    @property
    def _id_range(self) -> tuple[UUID, UUID] | None:
        if self.back_to is None:
            return self.task_filter.id_range
        first, last = self.task_filter.id_range or (self.back_to, _LAST_ID)
        return max(first, self.back_to), last


@dataclass(slots=True)
class Count:
    """How many it would be done with, by status, what it may cost to run them again, and what they cost already.

    Amounts are US dollars; of `unpriced` tasks the price is not known. `left_out` says how many for which reason.
    """

    statuses: Counter[TaskStatus] = field(default_factory=Counter)
    price_usd: Decimal = Decimal(0)
    unpriced: int = 0
    cost_usd: Decimal = Decimal(0)
    left_out: Counter[str] = field(default_factory=Counter)
    back_to: UUID | None = None
    """Nothing older than this task was counted; None: there is nothing older."""

    @property
    def total(self) -> int:
        """All that it would be done with."""
        return self.statuses.total()

    def add(self, group: TaskGroup) -> None:
        """Count these in."""
        self.statuses[group.status] += group.count
        self.price_usd += group.price_usd
        self.unpriced += group.count - group.priced
        self.cost_usd += group.cost_usd


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How many it was done with, and how many were left out for which reason.

    `next_before`: there may be more tasks, older than that one; None when all were looked at.
    """

    done: int
    left_out: Mapping[str, int]
    next_before: UUID | None


async def count(services: Services, selection: Selection) -> Count:
    """What would be done. Raises `DatabaseUnavailable`."""
    return _counted(services, selection, await services.store.groups(selection.tasks), None)


async def count_newest(services: Services, selection: Selection, before: UUID | None, at_most: int) -> Count:
    """The same, for the newest ones that are found among so many tasks older than `before`."""
    looked = await services.store.count(TaskQuery(before=before, filter=selection.tasks), at_most)
    return _counted(services, selection, looked.matches, looked.back_to)


def _counted(services: Services, selection: Selection, groups: Sequence[TaskGroup], back_to: UUID | None) -> Count:
    counted = Count(back_to=back_to)
    for group in groups:
        if reason := _group_refusal(services, selection, group):
            counted.left_out[reason] += group.count
        else:
            counted.add(group)
    return counted


async def act(
    services: Services,
    selection: Selection,
    before: UUID | None,
    *,
    caller: Caller,
    goes_on: Callable[[], bool],
) -> BulkProgress:
    """Do it with the tasks that are older than `before`, newest first, as long as `goes_on` says so.

    Each is asked for as if by hand, so that the budget is kept to; a refusal leaves that one out. May be done
    again. Raises `DatabaseUnavailable`.
    """
    statuses = selection.action.statuses.intersection(selection.task_filter.statuses or TaskStatus)
    if not statuses:
        return BulkProgress(0, {}, None)
    narrowed = tuple(sorted(statuses)) if statuses != set(TaskStatus) else ()
    query = TaskQuery(CHUNK, before, replace(selection.tasks, statuses=narrowed))
    done, left_out = 0, Counter[str]()
    while True:
        looked = await services.store.look(query, LOOKED_THROUGH)
        reasons = await _chunk(services, selection, caller, looked.matches)
        left_out.update(reason for reason in reasons if reason)
        done += reasons.count("")
        if looked.back_to is None or not goes_on():
            return BulkProgress(done, left_out, looked.back_to)
        query = replace(query, before=looked.back_to)


async def _chunk(services: Services, selection: Selection, caller: Caller, tasks: tuple[Task, ...]) -> list[str]:
    """For each task why it was left out, empty where it was not."""
    if selection.action is BulkAction.DELETE:
        return await _deleted(services, caller, [task.id for task in tasks])
    reasons: list[str] = []
    for start in range(0, len(tasks), AT_ONCE):
        part = tasks[start : start + AT_ONCE]
        reasons += await asyncio.gather(*(_one(services, selection, caller, task.id) for task in part))
    return reasons


async def _deleted(services: Services, caller: Caller, task_ids: Sequence[UUID]) -> list[str]:
    done = await deletion.delete_tasks(services, task_ids, caller.sees_owner, deleted_by=caller.owner)
    return ["" if task_id in done.deleted else UnknownTask.code for task_id in task_ids]


async def _one(services: Services, selection: Selection, caller: Caller, task_id: UUID) -> str:
    """By the task as it stands now: somebody else may have done the same meanwhile."""
    try:
        task = await services.store.get(task_id)
        if reason := _refusal(services, selection, task):
            return reason
        if selection.action is BulkAction.CANCEL:
            await cancelling.cancel(services, task_id)
        else:
            await retrying.retry_seen(services, task, caller=caller)
    except NotRetryable:
        return _CHANGED_SINCE
    except Refused as error:
        return error.code
    return ""


def _refusal(services: Services, selection: Selection, task: Task) -> str:
    changed_at = task.finished_at if selection.action is BulkAction.RETRY else task.retried_at
    if changed_at is not None and changed_at > selection.as_of:
        return _CHANGED_SINCE
    return _group_refusal(services, selection, _group_of(task))


def _group_of(task: Task) -> TaskGroup:
    failure, order = task.error, task.order
    return TaskGroup(
        status=task.status,
        provider=task.provider,
        model=task.model,
        code=failure.code if failure else None,
        retryable=failure is not None and failure.retryable,
        has_order=order is not None,
        knows_job=order is not None and order.job_id is not None,
        count=1,
        priced=int(task.price_usd is not None),
        price_usd=task.price_usd or Decimal(0),
        cost_usd=Decimal(0),
    )


def _group_refusal(services: Services, selection: Selection, group: TaskGroup) -> str:
    """Why it is not done with such tasks, as a word; empty where it is."""
    if group.status not in selection.action.statuses:
        return _NOT_NOW[selection.action]
    if selection.action is not BulkAction.RETRY:
        return ""
    if group.code not in selection.task_filter.codes and not group.retryable:
        return "unknown_outcome" if group.code is FailureCode.UNKNOWN_OUTCOME else "not_retryable"
    try:
        services.catalogue.model(group.model)
        check_provider(services, group.provider)
    except Refused as error:
        return error.code
    return MayBeCharged.code if group.has_order and _is_ordered_anew(services, group) else ""


def _is_ordered_anew(services: Services, group: TaskGroup) -> bool:
    """Whether what may be paid for would be ordered once more. Of an order nothing else decides that."""
    order = OpenOrder("", group.provider, _NEVER, "known" if group.knows_job else None)
    return isinstance(retrying.next_step(services, group.model, group.provider, order), Unknown)
