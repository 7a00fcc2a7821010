"""What every counter of ended work does."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from genpulse.adapters.database.ended_work import PostgresEndedWork
from genpulse.adapters.memory.ended_work import MemoryEndedWork
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import AttemptStatus, Canceled, Failed, Released, RetryLater, Succeeded
from genpulse.domain.errors import ProviderRejected, ProviderUnavailable
from genpulse.domain.money.cost import Cost
from genpulse.domain.search.ended_work import BOUNDS_S, DeliveryOutcome, TriedDeliveries
from genpulse.domain.task import TaskStatus
from genpulse.domain.webhook_delivery import Answer, origin_of
from tests.contract.conftest import Backend, new_task
from tests.contract.test_deliveries import pass_by

DOWN = ProviderUnavailable("down").failure
NO = ProviderRejected("no").failure
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MANY = 10_000
URL = "https://receiver.example.com/hook"


@pytest.fixture
def ended(backend: Backend):
    """What counts this backend's ends."""
    if isinstance(backend.store, MemoryTaskStore):
        return MemoryEndedWork(backend.store, backend.deliveries)
    return PostgresEndedWork(backend.store._pool, lag_s=0.01)


@pytest.fixture
async def span(backend: Backend):
    """From before the test until long after it."""
    now = await backend.store.now()
    return now - MICROSECOND, now + DAY


async def moved(backend: Backend, task_id: UUID, **times):
    """Let the moments of a task be these."""
    if isinstance(backend.store, MemoryTaskStore):
        backend.store._tasks[task_id] = replace(backend.store._tasks[task_id], **times)
        return
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(times, 2))
    await backend.store._pool.execute(f"UPDATE tasks SET {columns} WHERE id = $1", task_id, *times.values())


def by(rows, *names):
    """How many there are of each kind."""
    counts = Counter()
    for row in rows:
        counts[tuple(getattr(row, name) for name in names)] += row.count
    return dict(counts)


async def test_each_way_of_ending_is_counted(backend, ended, span):
    outcomes = (
        Succeeded((), Cost(Decimal("0.25"))),
        Succeeded((), Cost(Decimal("0.5"))),
        Failed(NO),
        Canceled(NO),
        RetryLater(DOWN, 60.0),
        Released(),
    )
    for outcome in outcomes:
        begun = await backend.begun()
        await backend.end(begun.lease, outcome)
    await backend.store.cancel((await backend.store.submit(new_task(model="sandbox/late"))).task.id)
    await backend.begun(model="sandbox/runs", priority=9)
    tasks = (await ended.tasks(*span, MANY)).rows
    assert by(tasks, "model", "status", "code") == {
        ("sandbox/noop", TaskStatus.SUCCEEDED, ""): 2,
        ("sandbox/noop", TaskStatus.FAILED, "provider_rejected"): 1,
        ("sandbox/noop", TaskStatus.CANCELED, "provider_rejected"): 1,
        ("sandbox/late", TaskStatus.CANCELED, ""): 1,
    }
    assert sum(row.cost_usd for row in tasks) == Decimal("0.75")
    assert [row.waiting for row in tasks if row.model == "sandbox/late"] == [None]
    assert by((await ended.attempts(*span, MANY)).rows, "provider", "status", "code") == {
        ("sandbox", AttemptStatus.SUCCEEDED, ""): 2,
        ("sandbox", AttemptStatus.FAILED, "provider_rejected"): 1,
        ("sandbox", AttemptStatus.CANCELED, "provider_rejected"): 1,
        ("sandbox", AttemptStatus.FAILED, "provider_unavailable"): 1,
        ("sandbox", AttemptStatus.RELEASED, ""): 1,
    }


async def test_attempts_of_lost_workers_are_counted_while_their_task_goes_on(backend, ended, span):
    await backend.begun()
    await backend.store.leave(backend.worker)
    assert await backend.taken_over()
    assert by((await ended.attempts(*span, MANY)).rows, "status") == {(AttemptStatus.ABANDONED,): 1}
    assert (await ended.tasks(*span, MANY)).rows == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, MANY])
async def test_pieces_come_to_the_whole_also_where_many_ended_in_one_moment(backend, ended, span, limit):
    since, until = span
    for place in (1, 1, 1, 2, 3, 3, 4):
        begun = await backend.begun()
        await backend.end(begun.lease, Failed(NO))
        await moved(backend, begun.task.id, finished_at=since + place * timedelta(seconds=1))
    counts = []
    while since < until:
        piece = await ended.tasks(since, until, limit)
        counts.append(sum(row.count for row in piece.rows))
        assert since < piece.until <= until
        since = piece.until
    assert sum(counts) == 7
    assert max(counts) == {1: 3, 2: 3, 3: 3, 4: 4, 7: 7, MANY: 7}[limit]


async def test_the_first_moment_is_out_and_the_last_is_in(backend, ended):
    begun = await backend.begun()
    task_at = (await backend.ended(begun.lease, Failed(NO))).finished_at
    (attempt,) = await backend.store.attempts(begun.task.id)
    for look, at in ((ended.tasks, task_at), (ended.attempts, attempt.finished_at)):
        windows = [(at - MICROSECOND, at - MICROSECOND), (at - MICROSECOND, at), (at, at + DAY)]
        assert [len((await look(*window, MANY)).rows) for window in windows] == [0, 1, 0]


async def test_a_duration_that_is_a_bound_is_in_its_bucket(backend, ended, span):
    begun = await backend.begun()
    await backend.end(begun.lease, Succeeded(()))
    found = []
    for place, bound in enumerate(BOUNDS_S):
        for longer, bucket in ((timedelta(0), place), (MICROSECOND, place + 1)):
            length = timedelta(seconds=bound) + longer
            start = span[0] + timedelta(seconds=1)
            times = {"created_at": start - length, "started_at": start, "finished_at": start + length}
            await moved(backend, begun.task.id, **times)
            (row,) = (await ended.tasks(*span, MANY)).rows
            found.append((row.waiting.bucket, row.running.bucket) == (bucket, bucket))
            assert row.waiting.total_s == row.running.total_s == pytest.approx(length.total_seconds())
    assert all(found)


@pytest.mark.parametrize(
    ("moments", "waiting_s"),
    [({"created_at": -9}, 9), ({"created_at": -9, "run_at": -2}, 2), ({"created_at": 5}, 0)],
)
async def test_a_task_waits_from_when_it_is_due(backend, ended, span, moments, waiting_s):
    begun = await backend.begun()
    await backend.end(begun.lease, Succeeded(()))
    start = span[0] + timedelta(seconds=20)
    times = {name: start + timedelta(seconds=at) for name, at in moments.items()}
    await moved(backend, begun.task.id, started_at=start, finished_at=start, **times)
    (row,) = (await ended.tasks(*span, MANY)).rows
    assert (row.waiting.total_s, row.running.total_s) == (waiting_s, 0)


async def test_a_task_that_waited_for_others_does_not_say_how_long(backend, ended, span):
    source = await backend.begun()
    waits = new_task(depends_on=(source.task.id,))
    await backend.store.submit(waits)
    await backend.end(source.lease, Succeeded(()))
    (begun,) = await backend.claim()
    await backend.end(begun.lease, Succeeded(()))
    rows = (await ended.tasks(*span, MANY)).rows
    assert sum(row.count for row in rows if row.waiting) == 1
    assert sum(row.count for row in rows if row.running) == 2


async def test_a_task_that_is_tried_again_counts_again_and_from_there_on(backend, ended, span):
    begun = await backend.begun()
    task = await backend.ended(begun.lease, Failed(NO))
    first = await ended.tasks(span[0], task.finished_at, MANY)
    await moved(backend, task.id, created_at=task.created_at - DAY, started_at=task.started_at - DAY)
    await backend.store.retry(task.id)
    assert (await ended.tasks(*span, MANY)).rows == ()
    (again,) = await backend.claim()
    await backend.end(again.lease, Succeeded(()))
    (row,) = (await ended.tasks(first.until, span[1], MANY)).rows
    assert (row.status, row.count) == (TaskStatus.SUCCEEDED, 1)
    assert row.waiting.total_s < 3600 > row.running.total_s


async def test_what_a_vendor_took_is_from_the_order_where_it_has_answered(backend, ended, span):
    for outcome in (Succeeded(()), Failed(NO), Released(), Succeeded(())):
        begun = await backend.begun()
        order = await backend.store.journal_order(begun.lease)
        is_late = outcome != Released()
        sent_at = order.sent_at - timedelta(seconds=40) if is_late else order.sent_at
        await backend.end(begun.lease, outcome, ordered_at=sent_at, job_id="j")
    without = await backend.begun(model="sandbox/here")
    await backend.end(without.lease, Succeeded(()))
    rows = (await ended.attempts(*span, MANY)).rows
    known = {row.status: row for row in rows if row.vendor}
    assert {status: row.count for status, row in known.items()} == {
        AttemptStatus.SUCCEEDED: 2,
        AttemptStatus.FAILED: 1,
    }
    assert {row.vendor.bucket for row in known.values()} == {BOUNDS_S.index(60.0)}
    assert 80 <= known[AttemptStatus.SUCCEEDED].vendor.total_s < 120


async def test_messages_are_counted_by_how_their_last_try_went(backend, ended, span):
    ids = []
    for _ in range(5):
        begun = await backend.begun(webhook_url=URL)
        await backend.end(begun.lease, Succeeded(()))
        ids += [delivery.id for delivery in await backend.deliveries.of_task(begun.task.id)]
    await backend.deliveries.taken(ids[0], Answer(204))
    await backend.deliveries.not_taken(ids[1], Answer(503, "busy"), 60.0)
    await backend.deliveries.not_taken(ids[2], Answer(None, "refused"), 60.0)
    await backend.deliveries.not_taken(ids[3], Answer(410, "gone"), None)
    expected = {
        TriedDeliveries(DeliveryOutcome.DELIVERED, "2xx", 1),
        TriedDeliveries(DeliveryOutcome.WILL_BE_RETRIED, "5xx", 1),
        TriedDeliveries(DeliveryOutcome.WILL_BE_RETRIED, "none", 1),
        TriedDeliveries(DeliveryOutcome.GIVEN_UP, "4xx", 1),
    }
    found = await ended.deliveries(*span, MANY)
    assert set(found.rows) == expected
    now = await backend.store.now()
    await backend.deliveries.taken(ids[1], Answer(200))
    (row,) = (await ended.deliveries(now, span[1], MANY)).rows
    assert row == TriedDeliveries(DeliveryOutcome.DELIVERED, "2xx", 1)


async def test_what_is_settled_grows_and_lies_before_now(backend, ended):
    settled = [await ended.settled_until() for _ in range(20)]
    assert settled == sorted(settled)
    assert settled[-1] < await backend.store.now()


async def test_messages_to_a_silent_receiver_count_when_they_are_given_up(backend, ended, span):
    begun = await backend.begun(webhook_url=URL)
    await backend.end(begun.lease, Succeeded(()))
    until = span[1] + 3 * DAY
    assert await backend.deliveries.put_off(origin_of(URL), 1.0, "dead") == 1
    assert (await ended.deliveries(span[0], until, MANY)).rows == ()
    await pass_by(backend, (2 * DAY).total_seconds())
    assert await backend.deliveries.put_off(origin_of(URL), 1.0, "dead") == 1
    (row,) = (await ended.deliveries(span[0], until, MANY)).rows
    assert row == TriedDeliveries(DeliveryOutcome.GIVEN_UP, "none", 1)
