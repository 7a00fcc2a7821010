"""The models and providers that there are: what they can, cost and lack, and how their accounts are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from genpulse.api.routes.catalogue.models import ModelDocument
from genpulse.console.visit import Visit
from genpulse.domain.catalogue.lifetime import Lifetime
from genpulse.domain.errors import UnknownModel
from genpulse.domain.provider_account.gate import Circuit, Limits
from genpulse.lifecycle.budgets.check import is_allowed
from genpulse.ports import Services
from genpulse.provider import AnyModel

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider, and how its account is."""

    name: str
    title: str
    count: int
    is_paid: bool
    is_allowed: bool
    lacks: Sequence[str]
    left_out: Sequence[str]
    circuit: Circuit
    limits: Limits


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model, in short."""

    id: str
    model: AnyModel
    lifetime: Lifetime


async def show(visit: Visit) -> Response:
    """The page: all providers, and the models that are searched for."""
    catalogue, parameters = visit.services.catalogue, visit.request.query_params
    words, provider = parameters.get("text", "").lower().split(), parameters.get("provider", "")
    every = catalogue.models()
    rows = [
        ModelRow(model_id, model, catalogue.lifetime(model_id))
        for model_id, model in every
        if (not provider or model_id.startswith(f"{provider}/")) and _has(model_id, model, words)
    ]
    return visit.page(
        "models.html",
        "Models",
        providers=await _providers(visit.services, [model_id for model_id, _ in every]),
        rows=rows[:_SHOWN],
        more=len(rows) - _SHOWN,
        text=parameters.get("text", ""),
        provider=provider,
    )


def _has(model_id: str, model: AnyModel, words: Sequence[str]) -> bool:
    told = f"{model_id} {model.title} {model.description} {' '.join(model.kinds)}".lower()
    return all(word in told for word in words)


async def _providers(services: Services, model_ids: Sequence[str]) -> list[ProviderRow]:
    return await asyncio.gather(
        *(provider_row(services, name, model_ids) for name in services.catalogue.providers())
    )


async def provider_row(services: Services, name: str, model_ids: Sequence[str]) -> ProviderRow:
    """A provider of the catalogue."""
    catalogue, gate = services.catalogue, services.gate
    return ProviderRow(
        name,
        catalogue.title(name),
        sum(model_id.startswith(f"{name}/") for model_id in model_ids),
        catalogue.is_paid(name),
        is_allowed(services, name),
        catalogue.lacks(name),
        catalogue.left_out(name),
        await gate.circuit(name) if gate.guards(name) else Circuit(),
        gate.limits(name),
    )


async def show_one(visit: Visit) -> Response:
    """The page of one model."""
    model_id = str(visit.request.path_params["model_id"])[:200]
    try:
        model = visit.services.catalogue.model(model_id)
    except UnknownModel as error:
        return visit.page("model_gone.html", "No such model", status=404, refused=str(error))
    document = ModelDocument.of(visit.services, model_id, model)
    return visit.page("model.html", document.id, model=document)
