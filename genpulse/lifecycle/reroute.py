"""Moving tasks that wait for a provider which is left alone to the next model of their routes."""

from collections.abc import Collection, Sequence

from genpulse.domain.event import TaskEvent
from genpulse.domain.routing.task_route import CIRCUIT_OPEN, RouteHop, TaskRoute
from genpulse.domain.task import Task
from genpulse.lifecycle.next_on_route import askable, is_left_alone, may_be_used
from genpulse.ports import RouteMove, Services

AT_ONCE = 500


async def reroute(services: Services, providers: Sequence[str]) -> int:
    """Let tasks on a route leave those of the providers whose circuit is not closed, for one that may be asked.

    A task that has an order open there stays. Returns how many moved. Raises `DatabaseUnavailable`.
    """
    left_alone = [provider for provider in providers if await is_left_alone(services, provider)]
    if not left_alone:
        return 0
    waiting = await services.store.waiting_on_routes(left_alone, await _askable_providers(services), AT_ONCE)
    routes = [(task, task.route) for task in waiting if task.route is not None]
    models = await askable(services, (target for _, route in routes for target in route.rest))
    moves = [_move(services, task, route, models) for task, route in routes if _may_go_on(route, models)]
    moved = await services.store.move_on(moves) if moves else ()
    for task in moved:
        services.events.publish(TaskEvent(task.id, task.seq))
    return len(moved)


async def _askable_providers(services: Services) -> Sequence[str]:
    known = [name for name in services.catalogue.providers() if may_be_used(services, name)]
    return [name for name in known if not await is_left_alone(services, name)]


def _may_go_on(route: TaskRoute, models: Collection[str]) -> bool:
    """Else it waits for the provider at which it is: another one that does not work either is no better."""
    return any(target.model in models for target in route.rest)


def _move(services: Services, task: Task, route: TaskRoute, models: Collection[str]) -> RouteMove:
    message = f"{task.provider} is left alone for the moment, since it did not work."
    why = RouteHop(task.model, task.attempt, CIRCUIT_OPEN, message, services.now())
    return RouteMove(task, route.left_for_next(why, models))
