"""The providers, and how their accounts are."""

import asyncio
from datetime import datetime, timedelta

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document, Time
from genpulse.domain.provider_account.gate import Circuit, CircuitState, Hold, LearnedLimit, Limits
from genpulse.lifecycle.budgets.check import is_allowed
from genpulse.ports import Services

routes = encoded.router("catalogue")


class LimitsDocument(Document):
    """What an account may be asked, over all workers."""

    model_config = ConfigDict(title="Limits")

    concurrency: int | None = Field(examples=[8])
    """Tasks at once; null: no limit."""
    rate: str | None = Field(examples=["60/min"])
    """Tasks that start in a time; null: no limit."""

    @classmethod
    def of(cls, limits: Limits) -> "LimitsDocument":
        """From the domain's value."""
        return cls(concurrency=limits.concurrency, rate=str(limits.rate) if limits.rate else None)


class HoldDocument(Document):
    """What keeps tasks from an account."""

    model_config = ConfigDict(title="Hold")

    since: Time | None
    """Since when; null where that was not kept."""
    until: Time | None
    """Until when, at most an hour from now; null while one task finds out whether it is over."""
    code: str = Field(examples=["rate_limited"])
    """What kind of answer it was, by the codes of failed tasks."""
    answer: str = Field(examples=["rate_limited: the provider answered 429: slow down"])
    """By which answer of the provider, in one line."""

    @classmethod
    def of(cls, hold: Hold, now: datetime) -> "HoldDocument":
        """From the domain's value."""
        return cls(
            since=None if hold.since_s is None else now - timedelta(seconds=hold.since_s),
            until=None if hold.left_s is None else now + timedelta(seconds=hold.left_s),
            code=hold.code,
            answer=hold.answer,
        )


class CircuitDocument(Document):
    """Whether an account works."""

    model_config = ConfigDict(title="Circuit")

    state: CircuitState
    """`open`: it does not, and tasks wait; `half_open`: one task finds out whether it works again; `closed`: it
    works, and tasks wait only where it asked for that, as `hold` says."""
    failures: int
    """How many attempts failed in a row."""
    reason: str | None
    """Why the last of them failed."""
    retry_at: Time | None
    """When it is tried again; null where it may be asked."""
    hold: HoldDocument | None
    """What keeps tasks from it, since when and until when; null where nothing does."""

    @classmethod
    def of(cls, circuit: Circuit, now: datetime) -> "CircuitDocument":
        """From the domain's value."""
        return cls(
            state=circuit.state,
            failures=circuit.failures,
            reason=circuit.reason or None,
            retry_at=now + timedelta(seconds=circuit.wait_s) if circuit.wait_s else None,
            hold=HoldDocument.of(circuit.hold, now) if circuit.hold else None,
        )


class ConcurrencyDocument(Document):
    """How many tasks an account is asked for at once, over all workers: the lower of the two numbers."""

    model_config = ConfigDict(title="Concurrency")

    configured: int | None = Field(examples=[8])
    """What is configured; null: no limit."""
    learned: int | None = Field(examples=[4])
    """What its refusals have taught; null while it bears all that is configured. Halved when it answers that it
    has too much to do (429), raised by one now and then while it takes what it is asked for."""
    since: Time | None
    """When it last refused a task for that reason; null where nothing is learned."""

    @classmethod
    def of(cls, limits: Limits, learned: LearnedLimit | None, now: datetime) -> "ConcurrencyDocument":
        """From the domain's values."""
        if learned is None:
            return cls(configured=limits.concurrency, learned=None, since=None)
        since = now - timedelta(seconds=learned.since_s)
        return cls(configured=limits.concurrency, learned=learned.concurrency, since=since)


class ProviderDocument(Document):
    """A provider that is enabled."""

    model_config = ConfigDict(title="Provider")

    name: str = Field(examples=["sandbox"])
    title: str = Field(examples=["Sandbox"])
    kinds: list[str]
    """All kinds of work that it does."""
    paid: bool
    """Asking it may cost money."""
    configured: bool
    """It has what it needs, such as a key."""
    allowed: bool
    """False where it costs money and this environment does not allow that."""
    models: list[str] = Field(examples=[["sandbox/image"]])
    """The ids of its models."""
    left_out: list[str] = Field(examples=[["foxes.json: the file is empty"]])
    """A sentence for each thing of the operator's that it could not use here, such as the file of a model."""
    limits: LimitsDocument
    concurrency: ConcurrencyDocument
    circuit: CircuitDocument


class ProviderList(Document):
    """All enabled providers, sorted by name."""

    data: list[ProviderDocument]


@routes.get(
    "/v1/providers",
    summary="List providers",
    responses=encoded.described(200, "The enabled providers", ProviderList) | encoded.refusals(),
)
async def list_providers(request: Request) -> Response:
    """The providers that are installed and enabled here, what they may be asked, and how their accounts are."""
    services = context_in(request.scope).services
    documents = [_provider(services, name) for name in services.catalogue.providers()]
    return encoded.json(ProviderList(data=await asyncio.gather(*documents)))


async def _provider(services: Services, name: str) -> ProviderDocument:
    catalogue, limits = services.catalogue, services.gate.limits(name)
    circuit = await services.gate.circuit(name)
    own = [(model_id, model) for model_id, model in catalogue.models() if model_id.startswith(f"{name}/")]
    return ProviderDocument(
        name=name,
        title=catalogue.title(name),
        kinds=sorted({kind for _, model in own for kind in model.kinds}),
        paid=catalogue.is_paid(name),
        configured=catalogue.is_configured(name),
        allowed=is_allowed(services, name),
        models=[model_id for model_id, _ in own],
        left_out=list(catalogue.left_out(name)),
        limits=LimitsDocument.of(limits),
        concurrency=ConcurrencyDocument.of(limits, circuit.learned, services.now()),
        circuit=CircuitDocument.of(circuit, services.now()),
    )
