"""The providers and models that can be asked for."""

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Path
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.errors import ModelNotFound
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.api.schemas.model_facts import ChargedOnDocument, PriceDocument
from genpulse.domain.errors import UnknownModel
from genpulse.lifecycle.budgets.check import is_allowed
from genpulse.ports import Services
from genpulse.provider import AnyModel, Immediate, Local, TwoPhase

ShapeWord: TypeAlias = Literal["local", "immediate", "two-phase"]

routes = encoded.router("catalogue")


class Capabilities(Document):
    """What GenPulse can do with a task of this model."""

    cancel: bool
    """A running task stops at its source, so that it costs no more."""
    resume: bool
    """After a lost worker the same job goes on."""
    find: bool
    """A job whose answer got lost can be looked up."""
    repeatable: bool
    """Running it twice does no harm and costs nothing more."""
    progress: bool
    """Tells how far it has come."""

    @classmethod
    def of(cls, model: AnyModel) -> "Capabilities":
        """From the model's engine."""
        match model.engine:
            case TwoPhase() as engine:
                return cls(
                    cancel=engine.can_cancel,
                    resume=True,
                    find=engine.can_find,
                    repeatable=engine.repeatable,
                    progress=True,
                )
            case Immediate() as engine:
                again = engine.repeatable
                return cls(cancel=False, resume=False, find=False, repeatable=again, progress=False)
            case _:
                return cls(cancel=True, resume=False, find=False, repeatable=True, progress=True)


class ModelDocument(Document):
    """A model that can be asked for."""

    model_config = ConfigDict(title="Model")

    id: str = Field(examples=["sandbox/image"])
    """What a task's `model` has to say."""
    provider: str = Field(examples=["sandbox"])
    name: str = Field(examples=["image"])
    title: str
    description: str
    kinds: list[str] = Field(examples=[["text-to-image"]])
    paid: bool
    """Asking its provider may cost money."""
    allowed: bool
    """False where it costs money and this environment does not allow that."""
    configured: bool
    """False where its provider lacks what it needs here, such as a key: a task of it is refused."""
    priced: bool
    """What a task costs at most is known before it is submitted, and counts for the day's budget."""
    price: PriceDocument | None
    """What its vendor charges; null where nobody has stated that, and where the plug-in computes it."""
    charged_on: ChargedOnDocument
    outputs: list[str] = Field(examples=[["image"]])
    """What it makes: some of image, video, audio, text, file; empty where nobody has said it."""
    limits: dict[str, str]
    """Limits that its vendor states, in its own words."""
    deprecated: date | None
    """From this day on (UTC) its vendor advises against it."""
    sunset: date | None
    """On this day (UTC) its vendor shuts it down: from then on a task of it is refused."""
    successor: str | None = Field(examples=["openai/gpt-image-2"])
    """The model that takes its place."""
    shape: ShapeWord
    """Runs here, is one call to a vendor, or is a job at a vendor."""
    capabilities: Capabilities
    input_schema: dict[str, Any]
    """JSON Schema of a task's `input`."""

    @classmethod
    def of(cls, services: Services, model_id: str, model: AnyModel) -> "ModelDocument":
        """From the catalogue's value, as it is in this environment."""
        provider = model_id.partition("/")[0]
        facts = model.facts
        return cls(
            id=model_id,
            provider=provider,
            name=model.name,
            title=model.title or model_id,
            description=model.description,
            kinds=list(model.kinds),
            paid=services.catalogue.is_paid(provider),
            allowed=is_allowed(services, provider),
            configured=not services.catalogue.lacks(provider),
            priced=model.knows_price,
            price=PriceDocument.of(facts.tariff) if facts.tariff else None,
            charged_on=ChargedOnDocument.of(facts.charged_on),
            outputs=list(facts.outputs),
            limits=dict(facts.limits),
            deprecated=facts.lifetime.deprecated,
            sunset=facts.lifetime.sunset,
            successor=facts.lifetime.successor,
            shape=_shape_of(model),
            capabilities=Capabilities.of(model),
            input_schema=model.input.model_json_schema(),
        )


def _shape_of(model: AnyModel) -> ShapeWord:
    match model.engine:
        case Local():
            return "local"
        case Immediate():
            return "immediate"
        case _:
            return "two-phase"


class ModelList(Document):
    """All models, sorted by id."""

    data: list[ModelDocument]


@routes.get(
    "/v1/models",
    summary="List models",
    responses=encoded.described(200, "All models", ModelList) | encoded.refusals(),
)
async def list_models(request: Request) -> Response:
    """All models of all enabled providers, each with the JSON Schema of its input."""
    services = context_in(request.scope).services
    data = [ModelDocument.of(services, *entry) for entry in services.catalogue.models()]
    return encoded.json(ModelList(data=data))


@routes.get(
    "/v1/models/{model_id:path}",
    summary="Look at a model",
    responses=encoded.described(200, "The model", ModelDocument) | encoded.refusals(404),
)
async def show_model(
    request: Request,
    model_id: Annotated[str, Path(description="`provider/name`", examples=["sandbox/image"])],
) -> Response:
    """One model, with the JSON Schema of its input."""
    services = context_in(request.scope).services
    try:
        model = services.catalogue.model(model_id[:200])
    except UnknownModel as error:
        raise ModelNotFound(str(error)) from error
    return encoded.json(ModelDocument.of(services, model_id, model))
