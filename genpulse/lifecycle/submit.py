"""From what a caller asks for to a task that is queued."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from genpulse.domain.api_key import ApiKey
from genpulse.domain.errors import (
    BadInput,
    BudgetExceeded,
    KeyLimitExceeded,
    PaidProviderRefused,
    Problem,
    UnknownKind,
)
from genpulse.domain.json_value import JsonObject
from genpulse.domain.kind import ANY
from genpulse.domain.task import NewTask, Priority, Submitted
from genpulse.lifecycle.purse import check_allowed, limits_for
from genpulse.ports import Services
from genpulse.provider import AnyModel


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asked for, not yet checked against the model. `deadline_s` is in seconds from now."""

    model: str
    input: JsonObject
    kind: str | None = None
    priority: Priority = Priority.NORMAL
    webhook_url: str | None = None
    deadline_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


async def submit(
    services: Services, order: Order, *, idempotency_key: str | None = None, key: ApiKey | None = None
) -> Submitted:
    """Queue one task for the owner of `key`. Returns once it is committed.

    A repeated `idempotency_key` gets its task even where a new one may not be paid for. Raises `UnknownModel`,
    `UnknownKind`, `BadInput`, `PaidProviderRefused`, `BudgetExceeded`, `KeyLimitExceeded`,
    `IdempotencyKeyReuse`, `DatabaseUnavailable`.
    """
    task = _new_task(services, order, "", _owner(key), idempotency_key)
    try:
        check_allowed(services, task.provider)
        return await services.store.submit(task, limits_for(services, key))
    except (PaidProviderRefused, BudgetExceeded, KeyLimitExceeded):
        if earlier := await services.store.earlier(task):
            return earlier
        raise


async def submit_batch(
    services: Services, orders: Sequence[Order], *, key: ApiKey | None = None
) -> tuple[Submitted, ...]:
    """Queue several tasks, all or none. Raises as `submit`; pointers begin with `/tasks/<index>`."""
    owner = _owner(key)
    tasks = [_new_task(services, order, f"/tasks/{index}", owner) for index, order in enumerate(orders)]
    for provider in sorted({task.provider for task in tasks}):
        check_allowed(services, provider)
    return await services.store.submit_batch(tasks, limits_for(services, key))


def _owner(key: ApiKey | None) -> str:
    return str(key.id) if key else ""


def _new_task(
    services: Services, order: Order, place: str, owner: str, idempotency_key: str | None = None
) -> NewTask:
    model = services.catalogue.model(order.model)
    kind = _kind(order, model, place)
    price_usd = _price(order, model, place)
    return NewTask(
        id=services.new_id(),
        environment=services.environment.name,
        kind=kind,
        provider=order.model.partition("/")[0],
        model=order.model,
        input=order.input,
        priority=order.priority,
        metadata=order.metadata,
        webhook_url=order.webhook_url,
        deadline_s=order.deadline_s,
        price_usd=price_usd,
        idempotency_key=idempotency_key,
        fingerprint=_fingerprint(order) if idempotency_key else "",
        owner=owner,
    )


def _kind(order: Order, model: AnyModel, place: str) -> str:
    if order.kind is None and (len(model.kinds) == 1 or ANY in model.kinds):
        return ANY if ANY in model.kinds else model.kinds[0]
    if order.kind is None:
        choice = Problem(f"{place}/kind", f"say which one is meant: {', '.join(model.kinds)}")
        raise BadInput(f"The model {order.model!r} does several kinds of work.", [choice])
    if order.kind not in model.kinds:
        raise UnknownKind(order.kind, order.model, model.kinds)
    return order.kind


def _price(order: Order, model: AnyModel, place: str) -> Decimal | None:
    """Check the input, and say what it costs where that is known."""
    try:
        parsed = model.parse(order.input)
    except BadInput as error:
        problems = [Problem(f"{place}/input{problem.pointer}", problem.detail) for problem in error.problems]
        raise BadInput(str(error), problems) from error
    return model.price_of(parsed)


def _fingerprint(order: Order) -> str:
    canonical = json.dumps(asdict(order), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
