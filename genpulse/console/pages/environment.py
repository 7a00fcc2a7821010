"""The environment: its row of the table, what runs, how its parts are, and where each setting comes from."""

from starlette.responses import Response

from genpulse.api.component_health import look
from genpulse.console.visit import Visit
from genpulse.domain.provider_account.rate import Rate

EXAMINATIONS = Rate.parse("6/min")
"""As often anybody may ask the doctor from here: it looks at all servers, and takes a second or two."""


async def show(visit: Visit) -> Response:
    """The page. Settings are shown to the scope admin alone, with secrets masked."""
    parts = await look(visit.services)
    viewer, options = visit.viewer, visit.console.options
    asks = viewer.is_admin and "doctor" in visit.request.query_params
    wait_s = (await visit.services.gate.pace("doctor", EXAMINATIONS)).wait_s if asks else 0.0
    return visit.page(
        "environment.html",
        "Environment",
        parts=parts,
        version=visit.context.options.version,
        decided_by=options.decided_by,
        findings=await options.examine() if asks and not wait_s else (),
        wait_s=wait_s,
        settings=options.settings() if viewer.is_admin else (),
    )
