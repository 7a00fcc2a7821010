"""The checks that an order passes before it becomes a task: one list, in the order in which they are made.

| needs | looks at | declared as |
|---|---|---|
| the order | what one order says, before there is a task | `OrderCheck` |
| the tasks | all tasks of one call together, with what the services know | `TaskCheck` |
| the commit | counters that only the transaction that writes the tasks can see | `CommitCheck` |

A new check is an entry of `CHECKS` and the function that it names. A single submit and a batch pass the same list.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from genpulse.domain.errors import (
    BadInput,
    BudgetExceeded,
    ClientTokenUsedUp,
    CustomerLimitExceeded,
    CustomerMissing,
    KeyLimitExceeded,
    ModelShutDown,
    OutOfReach,
    OutsideClientToken,
    PaidProviderRefused,
    PriorityNotAllowed,
    Problem,
    ProviderNotConfigured,
    Refused,
    UnknownKind,
    UnknownModel,
    UnknownRoute,
)
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.client_order import order_by
from genpulse.domain.kind import ANY
from genpulse.domain.money.spending import day_of
from genpulse.domain.routing.route import Route
from genpulse.domain.routing.task_route import RouteTarget
from genpulse.domain.submission.order import Order
from genpulse.domain.task import NewTask
from genpulse.lifecycle.budgets.check import check_provider
from genpulse.lifecycle.submission.order_references import check_references, names_something
from genpulse.lifecycle.submission.order_route import route_of
from genpulse.lifecycle.submission.route_targets import parsed_on, shared_kind, targets_of
from genpulse.ports import Services
from genpulse.provider import AnyModel

LATEST_RUN = timedelta(days=30)
"""How far ahead the time may be at which a task begins."""
Tasks: TypeAlias = Mapping[str, NewTask]
"""The tasks of one call by the place of their order in the body, such as `/tasks/3`; empty when it is the body."""


@dataclass(slots=True)
class Candidate:
    """An order that is being checked. The checks of orders set what follows after `place`.

    `place` is where the order stands in the body, such as `/tasks/3`; empty when it is the body. `model_id` is the
    model that is tried first, and `parsed` the input as that model's own type. With a `route` there are others:
    its targets, in the order in which they are tried, are known once the input is parsed.
    """

    order: Order
    caller: Caller
    place: str = ""
    model_id: str = field(init=False)
    model: AnyModel = field(init=False)
    parsed: Any = field(init=False)
    kind: str = field(init=False)
    route: Route | None = field(init=False, default=None)
    targets: tuple[RouteTarget, ...] = field(init=False, default=())


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that an order has to meet. `errors` are what a task is refused with that does not.

    One that is not `of_the_moment` says something of the body: the same body is refused every time. One that is
    may be met at another moment: a task that was queued before under the same idempotency key is still returned.
    """

    name: str
    errors: tuple[type[Refused], ...]
    of_the_moment: bool


@dataclass(frozen=True, slots=True)
class OrderCheck(Check):
    """A check of one order. `look` raises one of `errors`, and may note in the candidate what it has found out."""

    look: Callable[[Services, Candidate], None]


@dataclass(frozen=True, slots=True)
class TaskCheck(Check):
    """A check of all tasks of a call together. `look` raises one of `errors`; it is async where it asks a service.

    `concerns` tells quickly which tasks it has to look at; None: all.
    """

    look: Callable[[Services, Caller, Tasks], Awaitable[None] | None]
    concerns: Callable[[NewTask], bool] | None = None


@dataclass(frozen=True, slots=True)
class CommitCheck(Check):
    """A check that the store makes, from the limits of `lifecycle.budget.limits_for`."""


def check_client_token(_services: Services, candidate: Candidate) -> None:
    """The client token is good for such a task, and says its part of it. Raises `OutsideClientToken`."""
    token = candidate.caller.token
    if token is not None:
        candidate.order = order_by(token, candidate.order, candidate.place)


def check_priority(_services: Services, candidate: Candidate) -> None:
    """The key may use the priority. Raises `PriorityNotAllowed`."""
    key, priority = candidate.caller.key, candidate.order.priority
    highest = candidate.caller.limits.max_priority
    if key is not None and highest is not None and priority > highest:
        raise PriorityNotAllowed(key.name, priority, highest, candidate.place)


def check_customer(_services: Services, candidate: Candidate) -> None:
    """The order says for which end customer it is, where its key limits them. Raises `CustomerMissing`."""
    limit_by = candidate.caller.limits.limit_by
    if limit_by is not None and not candidate.order.metadata.get(limit_by):
        raise CustomerMissing(limit_by, candidate.place)


def find_model(services: Services, candidate: Candidate) -> None:
    """The model exists, or all those of a route. Raises `UnknownModel`, `UnknownRoute`, `BadInput`."""
    route = candidate.route = route_of(services.routes, candidate.order, candidate.place)
    names = [step.model for step in route.steps] if route else [str(candidate.order.model)]
    models = [services.catalogue.model(name) for name in names]
    candidate.model_id, candidate.model = names[0], models[0]


def parse_input(services: Services, candidate: Candidate) -> None:
    """The input fits the schema of the model, and can be said to each one of a route. Raises `BadInput`."""
    if candidate.route is not None:
        candidate.targets = targets_of(services, candidate.route, candidate.order, candidate.place)
        first = candidate.targets[0]
        candidate.model_id = first.model
        candidate.model, candidate.parsed = parsed_on(services, first, candidate.order.input)
        return
    try:
        candidate.parsed = candidate.model.parse(candidate.order.input)
    except BadInput as error:
        place = candidate.place
        problems = [Problem(f"{place}/input{problem.pointer}", problem.detail) for problem in error.problems]
        raise BadInput(str(error), problems) from error


def choose_kind(services: Services, candidate: Candidate) -> None:
    """The kind of work is one of the model, and only one is meant. Raises `UnknownKind`, `BadInput`."""
    order, model = candidate.order, candidate.model
    kind, route = order.kind, candidate.route
    if kind is None and route is not None:
        kind = route.kind or shared_kind(services, candidate.targets, order)
    elif kind is None:
        kind = model.kind_of(candidate.parsed)
    if kind is None:
        choice = Problem(f"{candidate.place}/kind", f"say which one is meant: {', '.join(model.kinds)}")
        raise BadInput(
            f"The model {candidate.model_id!r} does several kinds of work, and the input fits more than one.",
            [choice],
        )
    for model_id in [target.model for target in candidate.targets] or [candidate.model_id]:
        kinds = services.catalogue.model(model_id).kinds
        if kind not in kinds and (route is None or ANY not in kinds):
            raise UnknownKind(kind, model_id, kinds)
    candidate.kind = kind


def check_run_at(services: Services, candidate: Candidate) -> None:
    """The task begins within `LATEST_RUN`. Raises `BadInput`."""
    run_at = candidate.order.run_at
    if run_at is not None and run_at - services.now() > LATEST_RUN:
        problem = Problem(f"{candidate.place}/run_at", f"it is more than {LATEST_RUN.days} days ahead")
        raise BadInput("The task would begin too late. Submit it when its time is nearer.", [problem])


def check_known_prices(services: Services, caller: Caller, tasks: Tasks) -> None:
    """It is known what each task costs at most, where a client token may not cost more than so much.

    Raises `OutsideClientToken`.
    """
    orders = caller.token.orders if caller.token else None
    if orders is None or orders.max_usd is None:
        return
    for place, task in tasks.items():
        if task.price_usd is None and services.catalogue.is_paid(task.provider):
            refusal = OutsideClientToken(
                f"This client token may cost {orders.max_usd:f} USD, and nobody knows what {task.model} costs. Let"
                " it be limited by tasks alone, or give the model a price."
            )
            refusal.blame((place,))
            raise refusal


def check_providers(services: Services, _caller: Caller, tasks: Tasks) -> None:
    """Each provider may cost what it does, and is configured.

    Raises `PaidProviderRefused`, `ProviderNotConfigured`.
    """
    for provider in sorted({task.provider for task in tasks.values()}):
        try:
            check_provider(services, provider)
        except Refused as error:
            error.blame(place for place, task in tasks.items() if task.provider == provider)
            raise


def check_lifetimes(services: Services, _caller: Caller, tasks: Tasks) -> None:
    """No vendor has shut down a model that is asked for. Raises `ModelShutDown`."""
    for model in sorted({task.model for task in tasks.values()}):
        lifetime = services.catalogue.lifetime(model)
        if lifetime.sunset is not None and lifetime.is_over(day_of(services.now())):
            refusal = ModelShutDown(model, lifetime.sunset, lifetime.successor)
            refusal.blame(place for place, task in tasks.items() if task.model == model)
            raise refusal


CHECKS: tuple[Check, ...] = (
    OrderCheck("client token", (OutsideClientToken,), of_the_moment=False, look=check_client_token),
    OrderCheck("priority", (PriorityNotAllowed,), of_the_moment=False, look=check_priority),
    OrderCheck("customer", (CustomerMissing,), of_the_moment=False, look=check_customer),
    OrderCheck("model", (UnknownModel, UnknownRoute, BadInput), of_the_moment=False, look=find_model),
    OrderCheck("input", (BadInput,), of_the_moment=False, look=parse_input),
    OrderCheck("kind", (UnknownKind, BadInput), of_the_moment=False, look=choose_kind),
    OrderCheck("run_at", (BadInput,), of_the_moment=False, look=check_run_at),
    TaskCheck("lifetime", (ModelShutDown,), of_the_moment=True, look=check_lifetimes),
    TaskCheck("provider", (PaidProviderRefused, ProviderNotConfigured), of_the_moment=True, look=check_providers),
    TaskCheck("price", (OutsideClientToken,), of_the_moment=True, look=check_known_prices),
    TaskCheck("references", (OutOfReach,), of_the_moment=True, look=check_references, concerns=names_something),
    CommitCheck("budget", (BudgetExceeded,), of_the_moment=True),
    CommitCheck("key limits", (KeyLimitExceeded,), of_the_moment=True),
    CommitCheck("customer limits", (CustomerLimitExceeded,), of_the_moment=True),
    CommitCheck("client token's limits", (ClientTokenUsedUp,), of_the_moment=True),
)
"""All of them. Checks of orders come first, those of the commit last."""

ERRORS_OF_THE_MOMENT = tuple(error for check in CHECKS if check.of_the_moment for error in check.errors)

_ORDER_CHECKS = tuple(check for check in CHECKS if isinstance(check, OrderCheck))
_TASK_CHECKS = tuple(check for check in CHECKS if isinstance(check, TaskCheck))


def check_order(services: Services, candidate: Candidate) -> None:
    """Make the checks of orders. Raises the `errors` of the first one that is not met."""
    try:
        for check in _ORDER_CHECKS:
            check.look(services, candidate)
    except Refused as error:
        error.blame((candidate.place,))
        raise


async def check_tasks(services: Services, caller: Caller, tasks: Tasks) -> None:
    """Make the checks of tasks. Raises the `errors` of the first one that is not met, `DatabaseUnavailable`."""
    for check in _TASK_CHECKS:
        concerns = check.concerns
        concerned = tasks if concerns is None else {place: task for place, task in tasks.items() if concerns(task)}
        if concerned:
            pending = check.look(services, caller, concerned)
            if pending is not None:
                await pending
