"""The moves that the stores make between a task's states are those of the domain's table: no more, no fewer."""

from contextlib import suppress

from genpulse.domain.attempt import Canceled, End, Failed, MovedOn, Released, RetryLater, Succeeded
from genpulse.domain.errors import LeaseLost, NotRetryable
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.routing.task_route import RouteTarget, TaskRoute
from genpulse.domain.task import LEGAL_MOVES, TaskStatus
from tests.contract.conftest import new_ids, new_task, new_worker, now

FAILURE = Failure(FailureCode.PROVIDER_UNAVAILABLE, "503", True, Charged.NO, Actor.PROVIDER)
ROUTE = TaskRoute("", (RouteTarget("sandbox/a"), RouteTarget("sandbox/b")), frozenset(), place=1)
OUTCOMES = (
    Succeeded(()),
    Failed(FAILURE),
    RetryLater(FAILURE, 60.0),
    MovedOn(FAILURE, "sandbox/a", ROUTE),
    Canceled(),
    Released(),
)
ENDS = {
    TaskStatus.SUCCEEDED: Succeeded(()),
    TaskStatus.FAILED: Failed(FAILURE),
    TaskStatus.CANCELED: Canceled(),
    TaskStatus.QUEUED: Released(),
}


async def claimed(backend, **changes):
    """A claim of one more task, past all the others that wait."""
    new = new_task(deadline_s=-1.0, **changes)
    await backend.store.submit(new)
    claims = await backend.claim(at_most=100)
    return next(claim for claim in claims if claim.task.id == new.id)


async def task_in(backend, status):
    """A task in this state, and the lease of its last attempt."""
    claim = await claimed(backend)
    if status in ENDS:
        await backend.end(claim.lease, ENDS[status])
    return claim.lease


def finish(outcome):
    return lambda backend, lease: backend.store.finish(End(lease, outcome))


async def claim_step(backend, _lease):
    await backend.claim(at_most=100)


async def take_over(backend, _lease):
    await backend.store.leave(backend.worker)
    other = new_worker("other")
    await backend.store.renew(other, now())
    await backend.store.take_over(other, ["sandbox"], new_ids(100))


STEPS = (
    *map(finish, OUTCOMES),
    claim_step,
    take_over,
    lambda backend, lease: backend.store.cancel(lease.task_id),
    lambda backend, lease: backend.store.retry(lease.task_id),
    lambda backend, _lease: backend.store.expire(),
)


async def move(backend, status, step):
    """The state before and after a step; None where the step left the task as it was."""
    lease = await task_in(backend, status)
    before = await backend.store.get(lease.task_id)
    assert before.status is status
    with suppress(LeaseLost, NotRetryable):
        await step(backend, lease)
    after = await backend.store.get(lease.task_id)
    began_again = after.attempt != before.attempt
    return (before.status, after.status) if after.status is not before.status or began_again else None


async def test_every_step_from_every_state_makes_a_legal_move_and_all_of_these_are_made(backend):
    moves = {await move(backend, status, step) for status in TaskStatus for step in STEPS}
    assert moves - {None} == {(old, new) for old, ways in LEGAL_MOVES.items() for new in ways}
