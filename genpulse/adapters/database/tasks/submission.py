"""Writing new tasks with their queue entries, many in one commit."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg

from genpulse.adapters.database.money.spending_counters import lock_months, scopes_array, today
from genpulse.adapters.database.statements import batches, tasks
from genpulse.adapters.database.tasks.rows import task_of, uuid_of
from genpulse.adapters.database.tasks.submission_columns import digest_of, statement_for
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.errors import BadInput, IdempotencyKeyReuse, TaskDeleted
from genpulse.domain.money.spending import UNLIMITED, SpendingLimits, price_of
from genpulse.domain.money.wish import Today, Wish, fit_together, joined, refusals
from genpulse.domain.submission.idempotency import RequestId, replay, request_of
from genpulse.domain.task import NewTask, Submitted, Task
from genpulse.domain.task_batch import EarlierBatch, NewBatch

_COMES_AGAIN_S = 5.0
"""For so many seconds after a refusal it is asked whether there is any hope, before anything is written."""

SubmitAnswer = tuple[Submitted, ...] | Exception


@dataclass(frozen=True, slots=True)
class _Written:
    """A task that stands in the database, and the new task that was written as it, None where it was known."""

    task: Task
    fingerprint: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks of one owner that are written together or not at all, and what has to hold then."""

    tasks: Sequence[NewTask]
    limits: SpendingLimits = UNLIMITED
    batch: NewBatch | None = None

    @property
    def is_alone(self) -> bool:
        """Whether it is one task, which one statement writes."""
        return len(self.tasks) == 1 and self.batch is None

    @property
    def bound(self) -> bool:
        """Whether it may not fit."""
        return self.limits.bind(price_of(self.tasks))

    def wish(self, tasks: Sequence[NewTask]) -> Wish:
        """What these of its tasks want of the day."""
        return Wish.of(tasks, self.limits)


class _TakenOut(Exception):
    """Ends a transaction in which some groups did not fit."""


class KnownBatch(Exception):
    """Ends a transaction with a batch whose key is known."""


class SubmitWriter:
    """Writes groups of new tasks, those that come together in one commit."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._refused_at = -math.inf

    async def write(self, groups: Sequence[Group]) -> Sequence[SubmitAnswer]:
        """One commit; the tasks or a refusal for each group, in order. None of the groups is empty.

        Raises `BadInput` when PostgreSQL cannot hold one of them, `KnownBatch`, `DatabaseUnavailable`.
        """
        try:
            with outages():
                if any(group.bound or not group.is_alone for group in groups):
                    return await self._write_fitting(groups)
                written = await _write(self._pool, groups)
                return [_answer(group, written) for group in groups]
        except asyncpg.DataError as error:
            raise BadInput(f"The task holds something that cannot be stored: {error}.") from error

    async def _write_fitting(self, groups: Sequence[Group]) -> Sequence[SubmitAnswer]:
        """Whoever was refused comes again: for a while it is looked before anything is written."""
        fitting = _Fitting(self._pool, groups)
        if time.monotonic() - self._refused_at < _COMES_AGAIN_S:
            await fitting.refuse_hopeless()
        answers = await fitting.write()
        if fitting.refused:
            self._refused_at = time.monotonic()
        return answers

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task under the same key. Raises `IdempotencyKeyReuse`, `TaskDeleted`, `DatabaseUnavailable`."""
        if task.idempotency_key is None:
            return None
        with outages():
            row = await self._pool.fetchrow(tasks.BY_KEY, task.owner, task.idempotency_key)
            if row is None and await self._pool.fetchval(tasks.KEY_IS_DELETED, digest_of(task)):
                raise TaskDeleted(task.idempotency_key)
        return replay(task, row["fingerprint"], task_of(row)) if row is not None else None

    async def newest_key(self, owner: str, after: str, before: str) -> str | None:
        """The last idempotency key of an owner between these two. Raises `DatabaseUnavailable`."""
        with outages():
            key: str | None = await self._pool.fetchval(tasks.NEWEST_KEY, owner, after, before)
        return key

    async def known(self, new: Sequence[NewTask]) -> Sequence[Submitted | None]:
        """The tasks under the same keys, which are of one owner. Raises `IdempotencyKeyReuse`, `TaskDeleted`."""
        keys = [task.idempotency_key for task in new if task.idempotency_key is not None]
        if not keys:
            return [None] * len(new)
        with outages():
            rows = await self._pool.fetch(tasks.BY_KEYS, new[0].owner, keys)
            await self._refuse_deleted(new)
        by_key = {row["idempotency_key"]: row for row in rows}
        found = [(task, by_key.get(task.idempotency_key)) for task in new]
        return [row and replay(task, row["fingerprint"], task_of(row)) for task, row in found]

    async def _refuse_deleted(self, new: Sequence[NewTask]) -> None:
        """Raises `TaskDeleted`."""
        by_digest = {digest: task for task in new if (digest := digest_of(task)) is not None}
        for row in await self._pool.fetch(tasks.DELETED_KEYS, list(by_digest)):
            raise TaskDeleted(by_digest[row["key_digest"]].idempotency_key or "")

    async def earlier_batch(self, batch: NewBatch) -> EarlierBatch | None:
        """The batch under the same key. Raises `IdempotencyKeyReuse`, `DatabaseUnavailable`."""
        if batch.idempotency_key is None:
            return None
        with outages():
            batch_row = await self._pool.fetchrow(batches.BY_KEY, batch.owner, batch.idempotency_key)
            if batch_row is None:
                return None
            if batch_row["fingerprint"] != batch.fingerprint:
                raise IdempotencyKeyReuse(batch.idempotency_key)
            rows = await self._pool.fetch(tasks.OF_BATCH, batch_row["id"])
        return EarlierBatch(
            uuid_of(batch_row["id"]), tuple(Submitted(task_of(row), replayed=True) for row in rows)
        )


class _Fitting:
    """Writes those of the groups that fit into what is left of the day.

    They are added, and then looked at while nobody else can change the counters: so no two are committed that do
    not fit together. When some do not, all is rolled back and the others are written anew. What all want together
    is looked at first, for where that fits each of them does.
    """

    def __init__(self, pool: asyncpg.Pool, groups: Sequence[Group]) -> None:
        self._pool = pool
        self._groups = groups
        self._together = joined((group.tasks, group.limits) for group in groups)
        self._has_looked = False
        self.refused: dict[int, Exception] = {}

    async def write(self) -> Sequence[SubmitAnswer]:
        """The tasks or a refusal for each group.

        Each round but the first commits, or takes one group out at least. Where the first does neither, it is
        looked first what does not fit even by itself.
        """
        while left := [group for number, group in self._numbered if number not in self.refused]:
            try:
                written = await in_transaction(self._pool, partial(self._write_all, left))
            except _TakenOut:
                if not self._has_looked:
                    self.refused.clear()
                    await self.refuse_hopeless()
                continue
            return [self.refused.get(number) or _answer(group, written) for number, group in self._numbered]
        return [self.refused[number] for number, _ in self._numbered]

    async def _write_all(
        self, groups: Sequence[Group], connection: asyncpg.Connection
    ) -> dict[RequestId, _Written]:
        await lock_months(connection, [group.limits for group in groups])
        for group in groups:
            await _begin(connection, group)
        written = await _write(connection, groups)
        self._refuse_misfits(written, await self._today(connection))
        for group in groups:
            await _keep(connection, group, written)
        return written

    @property
    def _numbered(self) -> Sequence[tuple[int, Group]]:
        return list(enumerate(self._groups))

    async def _today(self, connection: asyncpg.Connection | asyncpg.Pool) -> Today | None:
        """None where it does not matter what it is."""
        bound = [group for group in self._groups if group.bound]
        if not bound:
            return None
        counters = frozenset().union(*(wish.counters for wish in self._together))
        return await today(connection, counters, months=any(group.limits.looks_at_months for group in bound))

    async def refuse_hopeless(self) -> None:
        """Refuse without a write what does not fit even by itself."""
        self._has_looked = True
        now = await self._today(self._pool)
        if now is None or fit_together(now, self._together):
            return
        alone = {number: group.wish(group.tasks).refusal(now) for number, group in self._numbered}
        self.refused.update({number: refusal for number, refusal in alone.items() if refusal})

    def _refuse_misfits(self, written: dict[RequestId, _Written], now: Today | None) -> None:
        """Raises `_TakenOut`."""
        remaining = [(number, group) for number, group in self._numbered if number not in self.refused]
        answers = {number: _answer(group, written) for number, group in remaining if len(group.tasks) > 1}
        misfits = {number: answer for number, answer in answers.items() if isinstance(answer, Exception)}
        if now is not None:
            misfits |= self._misfits(now, remaining, written)
        if misfits:
            self.refused.update(misfits)
            raise _TakenOut

    def _misfits(
        self, now: Today, groups: Sequence[tuple[int, Group]], written: dict[RequestId, _Written]
    ) -> dict[int, Exception]:
        """Which do not fit, of groups that are counted in `now` already."""
        new = [(_new(group.tasks, written), group) for _, group in groups]
        together = joined((tasks, group.limits) for tasks, group in new if tasks)
        for wish in together:
            now = wish.added(now, -1)
        if fit_together(now, together):
            return {}
        answers = zip(groups, refusals(now, [group.wish(tasks) for tasks, group in new]), strict=True)
        return {number: refusal for (number, _), refusal in answers if refusal is not None}


async def _begin(connection: asyncpg.Connection, group: Group) -> None:
    """Write a batch that has a key before its tasks. Raises `KnownBatch`."""
    batch = group.batch
    if batch is not None and batch.idempotency_key is not None:
        values = (batch.id, batch.environment, batch.owner, batch.idempotency_key, batch.fingerprint)
        if await connection.fetchval(batches.BEGIN_KEYED, *values, len(group.tasks)) is None:
            raise KnownBatch


async def _keep(connection: asyncpg.Connection, group: Group, written: dict[RequestId, _Written]) -> None:
    """Write a batch that has no key after its tasks, unless all of these were known."""
    batch = group.batch
    if batch is not None and batch.idempotency_key is None and (new := _new(group.tasks, written)):
        await connection.execute(batches.KEEP, batch.id, batch.environment, batch.owner, len(new))


def _new(tasks: Sequence[NewTask], written: dict[RequestId, _Written]) -> Sequence[NewTask]:
    return [task for task in tasks if (one := written.get(request_of(task))) is not None and one.by == task.id]


def _firsts(tasks: Sequence[NewTask]) -> Sequence[NewTask]:
    """One task for each key, in the order of keys, so that two processes with the same ones never deadlock."""
    firsts: dict[tuple[str, str], NewTask] = {}
    keyless = [task for task in tasks if task.idempotency_key is None]
    for task in tasks:
        if task.idempotency_key is not None:
            firsts.setdefault((task.owner, task.idempotency_key), task)
    return [*keyless, *(firsts[key] for key in sorted(firsts))]


async def _write(
    connection: asyncpg.Connection | asyncpg.Pool, groups: Sequence[Group]
) -> dict[RequestId, _Written]:
    """What stands under each place now: the id of the new task, or its key where it has one.

    Nothing stands under the key of a task that was deleted.
    """
    firsts = _firsts([task for group in groups for task in group.tasks])
    scopes = {task.id: scopes_array(task, group.limits) for group in groups for task in group.tasks}
    rows = await connection.fetch(*statement_for(firsts, scopes))
    remaining = {task.id: task for task in firsts}
    written: dict[RequestId, _Written] = {}
    for row in rows:
        new = remaining.pop(row["id"])
        queued = new.queued(row["created_at"], row["deadline_at"], row["next_try_at"])
        written[request_of(new)] = _Written(queued, new.fingerprint, new.id)
    return written | await _known(connection, tuple(remaining.values()))


async def _known(
    connection: asyncpg.Connection | asyncpg.Pool, new: Sequence[NewTask]
) -> dict[RequestId, _Written]:
    """What stands under the keys of tasks that were not written.

    That is a statement of its own: the one that wrote does not see the rows that it waited for.
    """
    if not new:
        return {}
    owners, keys = [task.owner for task in new], [task.idempotency_key for task in new]
    rows = await connection.fetch(tasks.UNDER_KEYS, owners, keys)
    return {
        (row["owner"], row["idempotency_key"]): _Written(task_of(row), row["fingerprint"], None) for row in rows
    }


def _answer(group: Group, written: dict[RequestId, _Written]) -> SubmitAnswer:
    try:
        return tuple(_submitted(task, written.get(request_of(task))) for task in group.tasks)
    except (IdempotencyKeyReuse, TaskDeleted) as error:
        return error


def _submitted(task: NewTask, written: _Written | None) -> Submitted:
    if written is None:
        raise TaskDeleted(task.idempotency_key or "")
    if written.by == task.id:
        return Submitted(written.task)
    return replay(task, written.fingerprint, written.task)
