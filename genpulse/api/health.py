"""Whether this process is alive, and whether it can do its work."""

import asyncio
from typing import Literal

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api import answers
from genpulse.api.context import context_in
from genpulse.api.documents import Document
from genpulse.ports import Health, Probe, State

PROBE_TIMEOUT_S = 2.0

routes = answers.router("service")


class Alive(Document):
    """The process answers."""

    status: Literal["alive"]


class Check(Document):
    """How one part of the system is."""

    state: State
    detail: str


class Readiness(Document):
    """Whether this process can do its work. A part that is `degraded` does not keep it from that."""

    model_config = ConfigDict(title="Readiness")

    status: Literal["ready", "not_ready"]
    checks: dict[str, Check] = Field(examples=[{"database": {"state": "ok", "detail": ""}}])


@routes.head("/healthz", include_in_schema=False)
@routes.get("/healthz", summary="Alive?", responses=answers.described(200, "Alive", Alive))
async def is_alive() -> Response:
    """Answers as long as the process runs, whatever it stands on."""
    return answers.json(Alive(status="alive"))


@routes.head("/readyz", include_in_schema=False)
@routes.get(
    "/readyz",
    summary="Ready?",
    responses=answers.described(200, "Ready", Readiness)
    | answers.described(503, "A part that is needed is down", Readiness),
)
async def is_ready(request: Request) -> Response:
    """Looks at everything that this process stands on, all at once, for 2 seconds at most."""
    probes = context_in(request.scope).services.probes
    healths = await asyncio.gather(*(_look(probe) for probe in probes))
    ready = all(health.state is not State.DOWN for health in healths)
    checks = {health.name: Check(state=health.state, detail=health.detail) for health in healths}
    document = Readiness(status="ready" if ready else "not_ready", checks=checks)
    return answers.json(document, 200 if ready else 503, {"Cache-Control": "no-store"})


async def _look(probe: Probe) -> Health:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await probe()
    except TimeoutError:
        name = type(probe).__name__.removesuffix("Probe").lower()
        return Health(name, State.DOWN, f"gave no answer within {PROBE_TIMEOUT_S:.0f} s")
