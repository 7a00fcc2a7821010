"""Which models and providers may be asked, here and now."""

from collections.abc import Iterable

from genpulse.domain.errors import UnknownModel
from genpulse.domain.money.spending import day_of
from genpulse.domain.provider_account.gate import CircuitState
from genpulse.lifecycle.budgets.check import is_allowed
from genpulse.ports import Services


def is_offered(services: Services, model: str) -> bool:
    """Whether the model is there and not shut down, and its provider is set up and may cost what it does."""
    try:
        services.catalogue.model(model)
    except UnknownModel:
        return False
    if services.catalogue.lifetime(model).is_over(day_of(services.now())):
        return False
    return _may_be_used(services, model.partition("/")[0])


async def askable_providers(services: Services, names: Iterable[str]) -> frozenset[str]:
    """Those of these providers that are set up, may cost what they do, and are not left alone."""
    usable = [name for name in names if _may_be_used(services, name)]
    return frozenset(usable).difference(await left_alone(services, usable))


async def left_alone(services: Services, providers: Iterable[str]) -> list[str]:
    """Those of these providers the circuit of whose account is not closed."""
    return [name for name in providers if await _is_left_alone(services, name)]


def _may_be_used(services: Services, provider: str) -> bool:
    return is_allowed(services, provider) and not services.catalogue.lacks(provider)


async def _is_left_alone(services: Services, provider: str) -> bool:
    if not services.gate.guards(provider):
        return False
    return (await services.gate.circuit(provider)).state is not CircuitState.CLOSED
