"""What waits and runs, by provider and priority."""

from genpulse.domain.attempt import RetryLater
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.search.queue_load import QueueLoad
from genpulse.domain.task import Priority
from tests.contract.conftest import new_task

AWAY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "It is away.", True, Charged.NO, Actor.PROVIDER)


def counted(loads: tuple[QueueLoad, ...]) -> list[tuple[str, Priority, int, int, int]]:
    return [(one.provider, one.priority, one.waiting, one.later, one.running) for one in loads]


async def test_nothing_waits_where_nothing_came(backend):
    assert await backend.queue.loads() == ()


async def test_what_waits_and_runs_is_told_by_provider_and_priority(backend):
    for provider, priority in (
        ("sandbox", Priority.NORMAL),
        ("sandbox", Priority.NORMAL),
        ("sandbox", Priority.HIGH),
        ("other", Priority.LOW),
        ("limited", Priority.NORMAL),
    ):
        await backend.store.submit(new_task(provider=provider, model=f"{provider}/noop", priority=priority))
    (high,) = await backend.claim("sandbox")
    (limited,) = await backend.claim("limited")
    await backend.end(limited.lease, RetryLater(AWAY, delay_s=600.0))
    loads = await backend.queue.loads()
    assert high.task.priority is Priority.HIGH
    assert counted(loads) == [
        ("limited", Priority.NORMAL, 0, 1, 0),
        ("other", Priority.LOW, 1, 0, 0),
        ("sandbox", Priority.HIGH, 0, 0, 1),
        ("sandbox", Priority.NORMAL, 2, 0, 0),
    ]
    overdue_s = {(one.provider, one.priority): one.overdue_s for one in loads}
    assert overdue_s["limited", Priority.NORMAL] == 0.0
    assert overdue_s["sandbox", Priority.HIGH] == 0.0
    assert overdue_s["sandbox", Priority.NORMAL] > 0.0
