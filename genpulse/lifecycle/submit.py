"""Submitting tasks: checks, price, idempotency."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from genpulse.domain.api_key import ApiKey
from genpulse.domain.errors import (
    BadInput,
    BudgetExceeded,
    KeyLimitExceeded,
    OutOfReach,
    PaidProviderRefused,
    PriorityNotAllowed,
    Problem,
    ProviderNotConfigured,
    UnknownKind,
)
from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import NewTask, Priority, Submitted
from genpulse.lifecycle.budget import check_allowed, limits_for
from genpulse.lifecycle.order_references import check_reach, reaches_out
from genpulse.ports import Services
from genpulse.provider import AnyModel

_OF_THE_MOMENT = (PaidProviderRefused, ProviderNotConfigured, BudgetExceeded, KeyLimitExceeded, OutOfReach)
"""Refusals that say nothing of the body: what was taken before stays taken."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asked for, not yet checked against the model.

    `deadline_s` is in seconds from now, `retain_s` in seconds after the end, when the task is to be deleted.
    """

    model: str
    input: JsonObject
    kind: str | None = None
    priority: Priority = Priority.NORMAL
    webhook_url: str | None = None
    deadline_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    retain_s: int | None = None


async def submit(
    services: Services, order: Order, *, idempotency_key: str | None = None, key: ApiKey | None = None
) -> Submitted:
    """Queue one task for the owner of `key`. Returns once it is committed.

    A repeated `idempotency_key` gets its task even where a new one would not be taken at present. Raises
    `UnknownModel`, `UnknownKind`, `BadInput`, `PriorityNotAllowed`, `OutOfReach`, `PaidProviderRefused`,
    `ProviderNotConfigured`, `BudgetExceeded`, `KeyLimitExceeded`, `IdempotencyKeyReuse`, `TaskDeleted`,
    `DatabaseUnavailable`.
    """
    _check_priority(order, key)
    task = _new_task(services, order, "", key, idempotency_key)
    try:
        check_allowed(services, task.provider)
        if reaches_out(task):
            await check_reach(services, {"": task})
        return await services.store.submit(task, limits_for(services, key))
    except _OF_THE_MOMENT:
        if earlier := await services.store.earlier(task):
            return earlier
        raise


async def submit_batch(
    services: Services, orders: Sequence[Order], *, key: ApiKey | None = None
) -> tuple[Submitted, ...]:
    """Queue several tasks, all or none. Raises as `submit`; pointers begin with `/tasks/<index>`."""
    tasks = dict[str, NewTask]()
    for index, order in enumerate(orders):
        place = f"/tasks/{index}"
        _check_priority(order, key, place)
        tasks[place] = _new_task(services, order, place, key)
    for provider in sorted({task.provider for task in tasks.values()}):
        check_allowed(services, provider)
    await check_reach(services, {place: task for place, task in tasks.items() if reaches_out(task)})
    return await services.store.submit_batch(list(tasks.values()), limits_for(services, key))


def _check_priority(order: Order, key: ApiKey | None, place: str = "") -> None:
    highest = key.limits.max_priority if key else None
    if key is not None and highest is not None and order.priority > highest:
        raise PriorityNotAllowed(key.name, order.priority, highest, place)


def _owner(key: ApiKey | None) -> str:
    return str(key.id) if key else ""


def _new_task(
    services: Services, order: Order, place: str, key: ApiKey | None, idempotency_key: str | None = None
) -> NewTask:
    model = services.catalogue.model(order.model)
    wanted = _parsed(order, model, place)
    return NewTask(
        id=services.new_id(),
        environment=services.environment.name,
        kind=_kind(order, model, wanted, place),
        provider=order.model.partition("/")[0],
        model=order.model,
        input=order.input,
        priority=order.priority,
        metadata=order.metadata,
        webhook_url=order.webhook_url,
        deadline_s=order.deadline_s,
        price_usd=model.price_of(wanted),
        idempotency_key=idempotency_key,
        fingerprint=_fingerprint(order) if idempotency_key else "",
        owner=_owner(key),
        retain_s=_retain_s(order, key),
    )


def _retain_s(order: Order, key: ApiKey | None) -> int | None:
    """The shorter of what the caller and the API key say."""
    said = (order.retain_s, key.limits.retain_s if key else None)
    return min((seconds for seconds in said if seconds is not None), default=None)


def _parsed(order: Order, model: AnyModel, place: str) -> Any:
    """The input, as the model's own type."""
    try:
        return model.parse(order.input)
    except BadInput as error:
        problems = [Problem(f"{place}/input{problem.pointer}", problem.detail) for problem in error.problems]
        raise BadInput(str(error), problems) from error


def _kind(order: Order, model: AnyModel, wanted: Any, place: str) -> str:
    kind = model.kind_of(wanted) if order.kind is None else order.kind
    if kind is None:
        choice = Problem(f"{place}/kind", f"say which one is meant: {', '.join(model.kinds)}")
        raise BadInput(
            f"The model {order.model!r} does several kinds of work, and the input fits more than one.", [choice]
        )
    if kind not in model.kinds:
        raise UnknownKind(kind, order.model, model.kinds)
    return kind


def _fingerprint(order: Order) -> str:
    said = asdict(order)
    if order.retain_s is None:
        del said["retain_s"]  # as versions have it that know no retention of tasks
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
