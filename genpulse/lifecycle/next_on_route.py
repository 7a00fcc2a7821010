"""The next model of a task's route: one whose provider may be asked, where there is one."""

from collections.abc import Collection, Iterable

from genpulse.domain.errors import UnknownModel
from genpulse.domain.money.spending import day_of
from genpulse.domain.provider_account.gate import CircuitState
from genpulse.domain.routing.task_route import RouteHop, RouteTarget, TaskRoute
from genpulse.lifecycle.budget import is_allowed
from genpulse.ports import Services


async def next_on_route(services: Services, route: TaskRoute, why: RouteHop) -> TaskRoute | None:
    """The route after the hop: at the next model that may be asked, else at one that may be soon.

    None where nothing further on is offered here any more: it is better to stay.
    """
    offered = [target for target in route.rest if is_offered(services, target.model)]
    if not offered:
        return None
    return route.left_for_next(why, await askable(services, offered) or {offered[0].model})


async def askable(services: Services, targets: Iterable[RouteTarget]) -> Collection[str]:
    """The models of those targets that may be asked now.

    Such a model is there, may cost what it does, and its provider is not left alone.
    """
    models = {target.model for target in targets if is_offered(services, target.model)}
    providers = {model.partition("/")[0] for model in models}
    left_alone = {provider for provider in providers if await is_left_alone(services, provider)}
    return {model for model in models if model.partition("/")[0] not in left_alone}


def is_offered(services: Services, model: str) -> bool:
    """Whether the model is there and not shut down, and its provider is set up and may cost what it does."""
    provider = model.partition("/")[0]
    try:
        services.catalogue.model(model)
    except UnknownModel:
        return False
    if services.catalogue.lifetime(model).is_over(day_of(services.now())):
        return False
    return may_be_used(services, provider)


def may_be_used(services: Services, provider: str) -> bool:
    """Whether a provider has what it needs and may cost what it does."""
    return is_allowed(services, provider) and not services.catalogue.lacks(provider)


async def is_left_alone(services: Services, provider: str) -> bool:
    """Whether the circuit of the provider's account is not closed."""
    if not services.gate.guards(provider):
        return False
    return (await services.gate.circuit(provider)).state is not CircuitState.CLOSED
