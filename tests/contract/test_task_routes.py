"""Moving tasks that wait to other models of their routes."""

from datetime import UTC, datetime

import pytest

from genpulse.domain.attempt import RetryLater, Succeeded
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.routing.route import USUAL_CODES
from genpulse.domain.routing.task_route import CIRCUIT_OPEN, RouteHop, RouteTarget, TaskRoute
from genpulse.ports import RouteMove
from tests.contract.conftest import new_task

ROUTE = TaskRoute("", (RouteTarget("sandbox/noop"), RouteTarget("other/noop")), USUAL_CODES)


def move_of(task):
    why = RouteHop(task.model, task.attempt, CIRCUIT_OPEN, "", datetime.now(UTC))
    return RouteMove(task, task.route.left_for_next(why, {"other/noop"}))


@pytest.fixture
async def found(backend):
    """A task that waits, as it was found."""
    await backend.store.submit(new_task(route=ROUTE))
    (task,) = await backend.store.waiting_on_routes(["sandbox"], ["other"], 10)
    return task


async def test_a_task_that_waits_moves_on_once(backend, found):
    (moved,) = await backend.store.move_on([move_of(found)])
    assert (moved.model, moved.route.place, len(moved.route.hops)) == ("other/noop", 1, 1)
    assert moved == await backend.store.get(found.id)
    assert await backend.store.move_on([move_of(found)]) == ()


async def test_a_task_that_has_begun_since_it_was_found_stays(backend, found):
    """Its attempt is over and it waits at the same model, but what the move says of its attempts is not so."""
    (begun,) = await backend.claim()
    await backend.end(begun.lease, RetryLater(ProviderUnavailable("away").failure, delay_s=0))
    assert await backend.store.move_on([move_of(found)]) == ()
    now = await backend.store.get(found.id)
    assert (now.model, now.attempt, now.route.hops) == ("sandbox/noop", 1, ())
    (again,) = await backend.store.waiting_on_routes(["sandbox"], ["other"], 10)
    (moved,) = await backend.store.move_on([move_of(again)])
    assert moved.route.hops[0].attempt == 1


async def test_a_task_whose_sources_have_ended_waits_for_none_of_them_after_its_move(backend):
    source = await backend.begun(provider="third", model="third/noop")
    await backend.store.submit(new_task(route=ROUTE, depends_on=(source.task.id,)))
    assert await backend.store.waiting_on_routes(["sandbox"], ["other"], 10) == ()
    await backend.end(source.lease, Succeeded(()))
    (found,) = await backend.store.waiting_on_routes(["sandbox"], ["other"], 10)
    (moved,) = await backend.store.move_on([move_of(found)])
    assert (moved.awaits_sources, moved.is_put_off) == (False, False)
    assert moved == await backend.store.get(found.id)
