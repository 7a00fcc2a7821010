"""The environment: its row of the table, what runs, how its parts are, and where each setting comes from."""

from starlette.responses import Response

from genpulse.api.component_health import look
from genpulse.console.visit import Visit


async def show(visit: Visit) -> Response:
    """The page. Settings are shown to the scope admin alone, with secrets masked."""
    parts = await look(visit.services)
    viewer, options = visit.viewer, visit.console.options
    return visit.page(
        "environment.html",
        "Environment",
        parts=parts,
        version=visit.context.options.version,
        decided_by=options.decided_by,
        settings=options.settings() if viewer.is_admin else (),
    )
