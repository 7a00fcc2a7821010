"""Submitting a task that came by a door."""

from starlette.requests import Request

from genpulse.api.context import caller_of, context_in
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Submitted
from genpulse.lifecycle.submission import submit as submitting


async def submit(request: Request, order: Order, idempotency_key: str | None) -> Submitted:
    """Queue one task for the caller, as our own API does. Raises what `lifecycle.submission.submit` raises."""
    context = context_in(request.scope)
    submitted = await submitting.submit(
        context.services, order, idempotency_key=idempotency_key, caller=caller_of(request)
    )
    context.metrics.submitted(submitted)
    return submitted
