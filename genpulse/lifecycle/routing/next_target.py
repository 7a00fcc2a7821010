"""The next model of a task's route: one whose provider may be asked, where there is one."""

from genpulse.domain.routing.task_route import RouteHop, TaskRoute
from genpulse.lifecycle.routing.availability import askable_providers, is_offered
from genpulse.ports import Services


async def next_on_route(services: Services, route: TaskRoute, why: RouteHop) -> TaskRoute | None:
    """The route after the hop: at the next model that may be asked, else at one that may be soon.

    None where nothing further on is offered here any more: it is better to stay.
    """
    offered = [target for target in route.rest if is_offered(services, target.model)]
    if not offered:
        return None
    providers = await askable_providers(services, {target.provider for target in offered})
    askable = {target.model for target in offered if target.provider in providers}
    return route.left_for_next(why, askable or {offered[0].model})
