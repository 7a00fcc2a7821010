"""What was done in the console: by whom, with what, from where, and how it went."""

from collections.abc import Sequence
from uuid import UUID

from starlette.responses import Response

from genpulse.api.requests.page_cursor import decode_bound, encode_bound
from genpulse.console.visit import Visit
from genpulse.domain.console import ConsoleAction
from genpulse.domain.errors import InvalidCursor

PAGE = 50
_ALL = "all"


async def show(visit: Visit) -> Response:
    """The page, newest first."""
    words = ["console actions", visit.viewer.owner or _ALL]
    before, ignored = _before(visit, words)
    found = await visit.services.console.actions(owner=visit.viewer.owner, before=before, limit=PAGE + 1)
    shown: Sequence[ConsoleAction] = found[:PAGE]
    cursor = encode_bound(shown[-1].id, words) if len(found) > PAGE else ""
    return visit.page("action_log.html", "Log", actions=shown, next_cursor=cursor, ignored=ignored)


def _before(visit: Visit, words: Sequence[str]) -> tuple[UUID | None, str]:
    cursor = visit.request.query_params.get("cursor", "")
    if not cursor:
        return None, ""
    try:
        return decode_bound(cursor, words), ""
    except InvalidCursor:
        return None, "This page belongs to another list, so the first one is shown."
