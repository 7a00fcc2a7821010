"""Receivers of webhook messages that do not take them: what they answer, and sending again what was given up."""

from starlette.responses import Response

from genpulse.console.forms.posted_form import PageForm
from genpulse.console.visit import Visit
from genpulse.domain.keys.api_key import Scope

_RECEIVERS = 100
_MESSAGES = 20
AGAIN_AT_ONCE = 1000
_LONGEST = 500


async def show(visit: Visit) -> Response:
    """The page; with an origin also its last messages. Raises `InsufficientScope`, `DatabaseUnavailable`."""
    visit.require(Scope.VIEW)
    deliveries = visit.services.deliveries
    origin = visit.request.query_params.get("origin", "")[:_LONGEST].replace("\0", "")
    return visit.page(
        "webhooks.html",
        "Webhooks",
        receivers=await deliveries.failing(_RECEIVERS),
        backlog=await deliveries.backlog(),
        origin=origin,
        messages=await deliveries.failing_at(origin, _MESSAGES) if origin else (),
        at_once=AGAIN_AT_ONCE,
    )


async def send_again(visit: Visit, form: PageForm) -> Response:
    """Send again what was given up of one receiver, a thousand at a time."""
    origin = form.get("filter")[:_LONGEST].replace("\0", "")
    await visit.services.deliveries.send_again(origin, AGAIN_AT_ONCE)
    return visit.redirect("/webhooks?said=sent_many")
