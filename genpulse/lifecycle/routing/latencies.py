"""Keeping in mind how long models take, for routes that try the fastest one first."""

from genpulse.domain.routing.route import RouteOrder
from genpulse.ports import Services

EVERY_S = 30.0


def timed_models(services: Services) -> tuple[str, ...]:
    """The models whose latencies somebody asks for."""
    routes = services.routes.by_name.values()
    steps = (step for route in routes if route.order is RouteOrder.LATENCY for step in route.steps)
    return tuple(dict.fromkeys(step.model for step in steps))


async def refresh_latencies(services: Services) -> None:
    """Look how long these models took lately. Raises `DatabaseUnavailable`."""
    services.latencies.seconds = await services.store.durations_s(timed_models(services))
