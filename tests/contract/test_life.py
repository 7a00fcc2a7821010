"""Two workers, a caller, and two stores that must tell the same story whatever happens in which order."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import Canceled, End, Failed, Lease, Released, RetryLater, Succeeded
from genpulse.domain.errors import GenPulseError, LeaseLost, NotRetryable, ProviderUnavailable, UnknownOutcome
from genpulse.domain.task import LEGAL_MOVES, Task, TaskStatus, WaitsFor
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.ports import TaskQueue, TaskStore
from tests.contract.conftest import new_ids, new_task, new_worker, now
from tests.contract.machine_run import run_on_postgresql
from tests.drawn import examples
from tests.queues import depth_of

DOWN = ProviderUnavailable("down").failure
PROVIDERS = ("free", "limited")
LIMITS = {"limited": 1}
OUTCOMES = (
    Succeeded(()),
    Succeeded((), warnings=(TaskWarning(WarningCode.OUTPUT_MISSING, "filtered", 1),)),
    Failed(DOWN),
    RetryLater(DOWN, 0.0),
    RetryLater(DOWN, 3600.0),
    RetryLater(DOWN, 0.0, counts=False),
    Canceled(),
    Canceled(UnknownOutcome("nobody knows").failure),
    Released(),
)
_EMPTY = (
    "TRUNCATE tasks, task_sources, task_traces, attempts, queue, workers, deliveries, assets, asset_uses,"
    " uploaded_files; UPDATE renewals SET since = now()"
)


@dataclass(frozen=True)
class Pair:
    """A store with its queue."""

    store: TaskStore
    queue: TaskQueue


def told(task: Task) -> tuple:
    """All of a task but moments."""
    order = task.order and (task.order.reference, task.order.account, task.order.job_id)
    return (
        *(task.id, task.status, task.attempt, task.failures, task.losses, task.seq, order, task.error),
        *(task.cancel_requested, task.waiting_for, task.last_error, task.progress, task.warnings),
        *(task.next_try_at is None, task.finished_at is None, task.started_at is None, task.retried_at is None),
    )


class Life(RuleBasedStateMachine):
    """Every step is taken in both; they agree on its result, and on everything afterwards."""

    loop: asyncio.AbstractEventLoop
    real: Pair

    def __init__(self) -> None:
        super().__init__()
        self.pairs = (self.real, _in_memory())
        self.workers = [new_worker(name) for name in ("one", "two")]
        self.tasks: list[UUID] = []
        self.leases: list[Lease] = []
        self.seen: dict[UUID, Task] = {}
        for worker in self.workers:
            self.both(lambda pair, worker=worker: pair.store.renew(worker, now()))

    def both(self, step):
        """The result in PostgreSQL, which is that in memory too."""
        results = [self.loop.run_until_complete(_result(step(pair))) for pair in self.pairs]
        assert _plain(results[0]) == _plain(results[1])
        return results[0]

    @rule(provider=st.sampled_from(PROVIDERS), late=st.booleans(), put_off=st.booleans(), data=st.data())
    def submit(self, provider, late, put_off, data):
        new = new_task(
            provider=provider,
            deadline_s=-1.0 if late else None,
            webhook_url="https://example.org/",
            run_at=now() + timedelta(hours=1) if put_off else None,
            depends_on=tuple(data.draw(st.lists(st.sampled_from(self.tasks), max_size=2, unique=True), "sources"))
            if self.tasks
            else (),
        )
        self.both(lambda pair: pair.store.submit(new))
        self.tasks.append(new.id)

    @rule()
    def wake(self):
        self.both(lambda pair: pair.store.wake())

    def _begun(self, begun):
        self.leases += [one.lease for one in begun]

    @rule(worker=st.integers(0, 1), provider=st.sampled_from(PROVIDERS), resumed=st.booleans())
    def claim(self, worker, provider, resumed):
        ids = new_ids(2)
        who = self.workers[worker]
        self._begun(self.both(lambda pair: pair.store.claim(who, provider, ids, resumed=resumed)))

    @rule(worker=st.integers(0, 1))
    def claim_what_was_given_back(self, worker):
        ids = new_ids(2)
        self._begun(self.both(lambda pair: pair.store.claim_resumed(self.workers[worker], PROVIDERS, ids)))

    @rule(lost=st.integers(0, 1))
    def take_over(self, lost):
        ids = new_ids(3)
        self.both(lambda pair: pair.store.leave(self.workers[lost]))
        self._begun(self.both(lambda pair: pair.store.take_over(self.workers[1 - lost], PROVIDERS, ids)))
        self.both(lambda pair: pair.store.renew(self.workers[lost], now()))

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def order(self, data):
        lease = data.draw(st.sampled_from(self.leases))
        self.both(lambda pair: pair.store.journal_order(lease))

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def name_the_job(self, data):
        lease = data.draw(st.sampled_from(self.leases))
        self.both(lambda pair: pair.store.journal_job(lease, f"job of {lease.attempt_id}"))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), waits_for=st.none() | st.sampled_from(WaitsFor))
    def wait(self, data, waits_for):
        lease = data.draw(st.sampled_from(self.leases))
        self.both(lambda pair: pair.store.save_waiting(lease, waits_for, DOWN, 7))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES), is_open=st.booleans(), later=st.booleans())
    def finish(self, data, outcome, is_open, later):
        lease = data.draw(st.sampled_from(self.leases))
        self.both(lambda pair: pair.store.finish(End(lease, outcome, order_open=is_open, stop_later=later)))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def stopped(self, data):
        task_id = data.draw(st.sampled_from(self.tasks))
        order = self.seen[task_id].order
        if order is not None:
            self.both(lambda pair: pair.store.close_order(task_id, order.reference))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def cancel(self, data):
        task_id = data.draw(st.sampled_from(self.tasks))
        self.both(lambda pair: pair.store.cancel(task_id))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), keeps=st.booleans())
    def retry(self, data, keeps):
        task_id = data.draw(st.sampled_from(self.tasks))
        self.both(lambda pair: pair.store.retry(task_id, keeps_order=keeps))

    @rule()
    def expire(self):
        self.both(lambda pair: pair.store.expire())

    @invariant()
    def they_tell_the_same(self):
        for task_id in self.tasks:
            self._follow(self.both(lambda pair, task_id=task_id: pair.store.get(task_id)))
        self.both(lambda pair: depth_of(pair.queue))
        self.both(lambda pair: pair.queue.due(PROVIDERS))
        for worker in self.workers:
            self.both(lambda pair, worker=worker: pair.store.renew(worker, now()))
        self._live_tasks_are_in_the_queue_and_no_others()

    def _follow(self, task: Task) -> None:
        before = self.seen.get(task.id)
        self.seen[task.id] = task
        if before is None or before == task:
            return
        if before.status is not task.status or before.attempt != task.attempt:
            assert task.seq > before.seq
        if before.status is not task.status:
            assert _reachable(before.status, task.status)
        assert (task.status is TaskStatus.QUEUED) <= (task.finished_at is None)
        if before.order is not None and task.status is TaskStatus.RUNNING and task.attempt != before.attempt:
            assert task.order == before.order

    def _live_tasks_are_in_the_queue_and_no_others(self):
        found = self.loop.run_until_complete(
            self.real.store._pool.fetch("SELECT task_id, lease, limited FROM queue")
        )
        entries = {row["task_id"]: row["lease"] for row in found}
        for task in self.seen.values():
            assert (task.id in entries) == (not task.status.ended)
            if task.id in entries:
                assert (entries[task.id] is not None) == (task.status is TaskStatus.RUNNING)
        assert sum(row["limited"] and row["lease"] is None for row in found) == 0

    def teardown(self):
        self.loop.run_until_complete(self.real.store._pool.execute(_EMPTY))


def _reachable(old: TaskStatus, new: TaskStatus) -> bool:
    """By at most two legal moves: a step may give a task back and end it."""
    return new in LEGAL_MOVES[old] or any(new in LEGAL_MOVES[step] for step in LEGAL_MOVES[old])


async def _result(step):
    try:
        return await step
    except (LeaseLost, NotRetryable) as error:
        return error


def _plain(result):
    """What has to be equal of two results."""
    match result:
        case GenPulseError():
            return type(result)
        case Task():
            return told(result)
        case tuple() | list():
            return [_plain(one) for one in result]
        case _ if hasattr(result, "task"):
            return told(result.task)
        case _ if hasattr(result, "sent_at"):
            return (result.reference, result.account, result.job_id)
        case _ if hasattr(result, "unwanted"):
            return (result.lease, result.unwanted)
        case _:
            return result


def _in_memory() -> Pair:
    queue = MemoryTaskQueue(limits=LIMITS)
    return Pair(MemoryTaskStore(queue), queue)


@pytest.mark.hypothesis
def test_both_stores_tell_the_same_story(migrated_url):
    run_on_postgresql(Life, migrated_url, Pair, examples=examples(40), limits=LIMITS)
