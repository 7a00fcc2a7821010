"""Moving tasks that wait for a provider which is left alone to the next model of their routes."""

from collections.abc import Collection, Sequence

from genpulse.domain.event import TaskEvent
from genpulse.domain.routing.task_route import CIRCUIT_OPEN, RouteHop, TaskRoute
from genpulse.domain.task import Task
from genpulse.lifecycle.routing.availability import askable_providers, is_offered, left_alone
from genpulse.ports import RouteMove, Services

AT_ONCE = 500


async def reroute(services: Services, providers: Sequence[str]) -> int:
    """Let tasks on a route leave those of the providers whose circuit is not closed, for one that may be asked.

    A task that has an order open there stays, and so does one that no other provider would take: another one that
    does not work either is no better. Returns how many moved. Raises `DatabaseUnavailable`.
    """
    shut = await left_alone(services, providers)
    if not shut:
        return 0
    askable = await askable_providers(services, services.catalogue.providers())
    waiting = await services.store.waiting_on_routes(shut, askable, AT_ONCE)
    routes = [(task, task.route) for task in waiting if task.route is not None]
    further_on = {target.model for _, route in routes for target in route.rest if target.provider in askable}
    models = {model for model in further_on if is_offered(services, model)}
    moves = [
        _move(services, task, route, models)
        for task, route in routes
        if any(target.model in models for target in route.rest)
    ]
    moved = await services.store.move_on(moves) if moves else ()
    for task in moved:
        services.events.publish(TaskEvent(task.id, task.seq))
    return len(moved)


def _move(services: Services, task: Task, route: TaskRoute, models: Collection[str]) -> RouteMove:
    message = f"{task.provider} is left alone for the moment, since it did not work."
    why = RouteHop(task.model, task.attempt, CIRCUIT_OPEN, message, services.now())
    return RouteMove(task, route.left_for_next(why, models))
