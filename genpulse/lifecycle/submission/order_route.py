"""The route that an order asks for: by name, by its kind, or as a list."""

from collections.abc import Sequence

from genpulse.domain.errors import BadInput, Problem, UnknownRoute
from genpulse.domain.routing.route import MOST_MODELS, Route, Routes, RouteStep, first_of_each
from genpulse.domain.submission.order import Order


def route_of(routes: Routes, order: Order, place: str = "") -> Route | None:
    """The route that an order asks for; None where it names one model. Raises `UnknownRoute`, `BadInput`.

    A name that is neither a route's nor a model's is that of an unknown model, whose near matches are told.
    """
    match order.model:
        case None:
            return _usual(routes, order.kind, place)
        case str() as name:
            return routes.get(name)
        case names:
            return _listed(routes, names, place)


def _usual(routes: Routes, kind: str | None, place: str) -> Route:
    if kind is None:
        advice = "name a model as `provider/name`, several, or a route; or a `kind` that has its usual route"
        raise BadInput("The order names no model.", [Problem(f"{place}/model", advice)])
    route = routes.of_kind(kind)
    if route is None:
        raise UnknownRoute(kind, sorted(routes.by_name))
    return route


def _listed(routes: Routes, names: Sequence[str], place: str) -> Route:
    steps = first_of_each(step for name in names for step in _steps(routes, name))
    if not 0 < len(steps) <= MOST_MODELS:
        found = Problem(f"{place}/model", f"it names {len(steps)} models; give 1 to {MOST_MODELS}")
        raise BadInput("The list of models is empty or too long.", [found])
    return Route("", steps)


def _steps(routes: Routes, name: str) -> tuple[RouteStep, ...]:
    route = routes.get(name)
    return route.steps if route else (RouteStep(name),)
