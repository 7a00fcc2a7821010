"""The figures of this process, for Prometheus."""

from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.responses import encoded

_OPEN_METRICS = "application/openmetrics-text"
_TEXT = {"schema": {"type": "string"}}

routes = encoded.router("service")


@routes.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses=encoded.described(200, "The text format of Prometheus", {"text/plain": _TEXT}),
)
async def show_metrics(request: Request) -> Response:
    """Requests and their latency, tasks by state, what waits and for how long, what has
    ended and how, how long it took and what it cost, what today has cost, what was reserved, settled, released and
    refunded, open event streams, how each part of `/readyz` is, failures of background loops. The answer comes
    within 2 seconds.
    """
    context = context_in(request.scope)
    with_exemplars = context.options.traces_requests and _OPEN_METRICS in request.headers.get("accept", "")
    body = await context.metrics.scrape(context.services, with_exemplars=with_exemplars)
    return Response(
        body, headers={"Content-Type": openmetrics.CONTENT_TYPE_LATEST if with_exemplars else CONTENT_TYPE_LATEST}
    )
