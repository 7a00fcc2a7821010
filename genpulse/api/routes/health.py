"""The routes of liveness and readiness."""

from typing import Literal

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.component_health import look
from genpulse.api.context import context_in
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.ports import State

routes = encoded.router("service")


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
    checks: dict[str, Check] = Field(
        examples=[
            {
                "database": {"state": "ok", "detail": "PostgreSQL 18.1"},
                "storage": {"state": "degraded", "detail": "The asset storage is full."},
                "loops": {"state": "ok", "detail": ""},
            }
        ]
    )


@routes.head("/healthz", include_in_schema=False)
@routes.get("/healthz", summary="Alive?", responses=encoded.described(200, "Alive", Alive))
async def is_alive() -> Response:
    """Answers as long as the process runs, whatever it stands on."""
    return encoded.json(Alive(status="alive"))


@routes.head("/readyz", include_in_schema=False)
@routes.get(
    "/readyz",
    summary="Ready?",
    responses=encoded.described(200, "Ready", Readiness)
    | encoded.described(503, "A part that is needed is down", Readiness),
)
async def is_ready(request: Request) -> Response:
    """Looks at everything that this process stands on, all at once, within 2 seconds.

    Two parts are never `down`: `loops` is `degraded` when a background loop of this process has failed within the
    last minute, `workers` when one of a worker has; both name them. A process that was told to stop is `down` in
    `shutdown`: it takes requests for `api.drain_s` more, so that a proxy can look for another one.
    """
    context = context_in(request.scope)
    parts = await look(context.services)
    checks = {health.name: Check(state=health.state, detail=health.detail) for health in parts.healths}
    if context.stopping.is_set():
        checks["shutdown"] = Check(state=State.DOWN, detail="This process was told to stop.")
    ready = parts.ready and not context.stopping.is_set()
    document = Readiness(status="ready" if ready else "not_ready", checks=checks)
    return encoded.json(document, 200 if ready else 503, {"Cache-Control": "no-store"})
