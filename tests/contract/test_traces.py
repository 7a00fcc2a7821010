"""What every store of the traces of tasks does."""

from datetime import timedelta
from decimal import Decimal

import pytest
import uuid_utils.compat

from genpulse.adapters.database.statements.submission import submit
from genpulse.adapters.database.tasks.traces import PostgresTraces
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.tasks.traces import MemoryTraces
from genpulse.domain.attempt import RetryLater, Succeeded
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.trace_context import TaskTrace, TraceContext
from genpulse.ports import TraceStore
from tests.contract.conftest import Backend, new_task
from tests.contract.test_deletions import Place, place

__all__ = ["place"]


def span(number: int, state: str = "") -> TraceContext:
    return TraceContext(f"{number:032x}", f"{number:016x}", 1, state)


def traces_of(backend: Backend) -> TraceStore:
    store = backend.store
    return MemoryTraces(store) if isinstance(store, MemoryTaskStore) else PostgresTraces(store._pool)


@pytest.fixture
def traces(backend) -> TraceStore:
    return traces_of(backend)


@pytest.mark.parametrize(
    "changes",
    [{}, {"owner": "somebody"}, {"price_usd": Decimal("0.01"), "rule_version": "1"}],
    ids=["plain", "counted", "priced"],
)
@pytest.mark.parametrize("seldom", [{}, {"retain_s": 60}], ids=["usual", "seldom"])
async def test_the_span_of_a_submit_is_kept_with_its_task(backend, traces, changes, seldom):
    new = new_task(trace=span(1, "a=b"), **changes, **seldom)
    await backend.store.submit(new)
    plain = new_task(**changes)
    await backend.store.submit(plain)
    assert await traces.of(new.id) == TaskTrace(span(1, "a=b"))
    assert await traces.of(plain.id) is None
    assert await traces.of(uuid_utils.compat.uuid7()) is None


async def test_of_several_tasks_each_keeps_its_own(backend, traces):
    new = [new_task(trace=span(1)), new_task(), new_task(trace=span(3, "c=d"), owner="")]
    await backend.store.submit_batch(new)
    assert [await traces.of(task.id) for task in new] == [TaskTrace(span(1)), None, TaskTrace(span(3, "c=d"))]


async def test_a_repeated_submit_keeps_the_first_span(backend, traces):
    first = new_task(idempotency_key="k", fingerprint="f", trace=span(1))
    again = new_task(idempotency_key="k", fingerprint="f", trace=span(2))
    await backend.store.submit(first)
    assert (await backend.store.submit(again)).replayed
    assert await traces.of(first.id) == TaskTrace(span(1))
    assert await traces.of(again.id) is None


async def test_it_is_told_when_the_last_attempt_ended(backend, traces):
    claim = await backend.begun(trace=span(1))
    assert await traces.of(claim.task.id) == TaskTrace(span(1))
    await backend.end(claim.lease, RetryLater(ProviderUnavailable("busy").failure, 0.0))
    (attempt,) = await backend.store.attempts(claim.task.id)
    assert await traces.of(claim.task.id) == TaskTrace(span(1), attempt.finished_at)


async def test_it_goes_with_its_task(place: Place):
    backend, traces = place.backend, traces_of(place.backend)
    claim = await backend.begun(trace=span(1))
    task = await backend.ended(claim.lease, Succeeded(()))
    await backend.age(task, timedelta(days=2))
    async with place.retention.turn() as pruning:
        await pruning.tasks(timedelta(days=1), 10)
    assert await traces.of(task.id) is None


@pytest.mark.parametrize("seldom", [False, True])
@pytest.mark.parametrize("is_priced", [False, True])
def test_submits_without_a_span_know_nothing_of_spans(seldom, is_priced):
    assert "trace" not in submit(seldom=seldom, is_priced=is_priced, is_counted=True)
    assert "trace" in submit(seldom=seldom, is_priced=is_priced, is_traced=True)
