"""Submitting tasks: from an order to a committed row."""

from uuid import UUID

from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.keys.client_order import stored_key
from genpulse.domain.routing.task_route import TaskRoute
from genpulse.domain.submission.file_reference import InputFile
from genpulse.domain.submission.order import Order
from genpulse.domain.task import NewTask, Submitted
from genpulse.lifecycle.budgets.check import limits_for
from genpulse.lifecycle.submission.order_checks import ERRORS_OF_THE_MOMENT, Candidate, check_order, check_tasks
from genpulse.lifecycle.submission.order_references import sources_of
from genpulse.lifecycle.submission.route_targets import files_on_route
from genpulse.ports import Services
from genpulse.provider.inputs.asset_ref import files_in

__all__ = ["Order", "new_task", "submit"]


async def submit(
    services: Services, order: Order, *, idempotency_key: str | None = None, caller: Caller = WITHOUT_KEY
) -> Submitted:
    """Queue one task for the caller. Returns once it is committed.

    A repeated `idempotency_key` gets its task even where a new one would not be taken at present. Raises the
    errors of `lifecycle.order_checks.CHECKS`, `IdempotencyKeyReuse`, `TaskDeleted`, `DatabaseUnavailable`.
    """
    task = new_task(services, Candidate(order, caller), idempotency_key)
    try:
        await check_tasks(services, caller, {"": task})
        with services.tracing.submission((task,)) as (traced,):
            submitted = await services.store.submit(traced, limits_for(services, caller))
            services.tracing.submitted((submitted,))
        return submitted
    except ERRORS_OF_THE_MOMENT:
        if earlier := await services.store.earlier(task):
            return earlier
        raise


def new_task(
    services: Services,
    candidate: Candidate,
    idempotency_key: str | None = None,
    *,
    task_id: UUID | None = None,
    batch_id: UUID | None = None,
) -> NewTask:
    """The task of an order that passes the checks of orders. Raises their errors."""
    check_order(services, candidate)
    order, route, token = candidate.order, _task_route(candidate), candidate.caller.token
    if token is not None and idempotency_key is not None:
        idempotency_key = stored_key(token, idempotency_key)
    price_usd = route.price_usd if route else candidate.model.price_of(candidate.parsed)
    return NewTask(
        id=task_id or services.new_id(),
        environment=services.environment.name,
        kind=candidate.kind,
        provider=candidate.model_id.partition("/")[0],
        model=candidate.model_id,
        input=order.input,
        priority=order.priority,
        metadata=order.metadata,
        webhook_url=order.webhook_url,
        webhook_choice=order.webhook_choice if order.webhook_url else None,
        deadline_s=order.deadline_s,
        deadline_is_for_start=order.deadline_is_for_start,
        price_usd=price_usd,
        rule_version=_rule_version(candidate) if price_usd else "",
        idempotency_key=idempotency_key,
        fingerprint=order.fingerprint() if idempotency_key else "",
        owner=candidate.caller.owner,
        files=_files(services, candidate),
        batch_id=batch_id,
        retain_s=_retain_s(candidate),
        run_at=order.run_at,
        depends_on=sources_of(order.input),
        route=route,
        client_token=token.id if token else None,
    )


def _rule_version(candidate: Candidate) -> str:
    """That of the price which counts: with a route the dearest one's."""
    priced = [target for target in candidate.targets if target.price_usd is not None]
    dearest = max(priced, key=lambda target: target.price_usd or 0, default=None)
    return dearest.rule_version if dearest else candidate.model.price_version


def _files(services: Services, candidate: Candidate) -> tuple[InputFile, ...]:
    if candidate.route is None:
        return files_in(candidate.parsed)
    return tuple(files_on_route(services, candidate.targets, candidate.order.input))


def _task_route(candidate: Candidate) -> TaskRoute | None:
    """None where there is one model alone."""
    route = candidate.route
    return None if route is None else TaskRoute(route.name, candidate.targets, route.on)


def _retain_s(candidate: Candidate) -> int | None:
    """The shorter of what the order and the API key say."""
    key = candidate.caller.key
    limits = (candidate.order.retain_s, key.limits.retain_s if key else None)
    return min((seconds for seconds in limits if seconds is not None), default=None)
