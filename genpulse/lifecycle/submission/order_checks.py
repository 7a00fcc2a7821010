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
    KeyLimitExceeded,
    ModelShutDown,
    OutOfReach,
    PaidProviderRefused,
    PriorityNotAllowed,
    Problem,
    ProviderNotConfigured,
    Refused,
    UnknownKind,
    UnknownModel,
)
from genpulse.domain.keys.caller import Caller
from genpulse.domain.money.spending import day_of
from genpulse.domain.submission.order import Order
from genpulse.domain.task import NewTask
from genpulse.lifecycle.budget import check_provider
from genpulse.lifecycle.submission.order_references import check_references, names_something
from genpulse.ports import Services
from genpulse.provider import AnyModel

LATEST_RUN = timedelta(days=30)
"""How far ahead the time may be at which a task begins."""
Tasks: TypeAlias = Mapping[str, NewTask]
"""The tasks of one call by the place of their order in the body, such as `/tasks/3`; empty when it is the body."""


@dataclass(slots=True)
class Candidate:
    """An order that is being checked. The checks of orders set `model`, `parsed` and `kind`.

    `place` is where the order stands in the body, such as `/tasks/3`; empty when it is the body. `parsed` is the
    input as the model's own type.
    """

    order: Order
    caller: Caller
    place: str = ""
    model: AnyModel = field(init=False)
    parsed: Any = field(init=False)
    kind: str = field(init=False)


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

    look: Callable[[Services, Tasks], Awaitable[None] | None]
    concerns: Callable[[NewTask], bool] | None = None


@dataclass(frozen=True, slots=True)
class CommitCheck(Check):
    """A check that the store makes, from the limits of `lifecycle.budget.limits_for`."""


def check_priority(_services: Services, candidate: Candidate) -> None:
    """The key may use the priority. Raises `PriorityNotAllowed`."""
    key, priority = candidate.caller.key, candidate.order.priority
    highest = candidate.caller.limits.max_priority
    if key is not None and highest is not None and priority > highest:
        raise PriorityNotAllowed(key.name, priority, highest, candidate.place)


def find_model(services: Services, candidate: Candidate) -> None:
    """The model exists. Raises `UnknownModel`."""
    candidate.model = services.catalogue.model(candidate.order.model)


def parse_input(_services: Services, candidate: Candidate) -> None:
    """The input fits the schema of the model. Raises `BadInput`."""
    try:
        candidate.parsed = candidate.model.parse(candidate.order.input)
    except BadInput as error:
        place = candidate.place
        problems = [Problem(f"{place}/input{problem.pointer}", problem.detail) for problem in error.problems]
        raise BadInput(str(error), problems) from error


def choose_kind(_services: Services, candidate: Candidate) -> None:
    """The kind of work is one of the model, and only one is meant. Raises `UnknownKind`, `BadInput`."""
    order, model = candidate.order, candidate.model
    kind = model.kind_of(candidate.parsed) if order.kind is None else order.kind
    if kind is None:
        choice = Problem(f"{candidate.place}/kind", f"say which one is meant: {', '.join(model.kinds)}")
        raise BadInput(
            f"The model {order.model!r} does several kinds of work, and the input fits more than one.", [choice]
        )
    if kind not in model.kinds:
        raise UnknownKind(kind, order.model, model.kinds)
    candidate.kind = kind


def check_run_at(services: Services, candidate: Candidate) -> None:
    """The task begins within `LATEST_RUN`. Raises `BadInput`."""
    run_at = candidate.order.run_at
    if run_at is not None and run_at - services.now() > LATEST_RUN:
        problem = Problem(f"{candidate.place}/run_at", f"it is more than {LATEST_RUN.days} days ahead")
        raise BadInput("The task would begin too late. Submit it when its time is nearer.", [problem])


def check_providers(services: Services, tasks: Tasks) -> None:
    """Each provider may cost what it does, and is configured.

    Raises `PaidProviderRefused`, `ProviderNotConfigured`.
    """
    for provider in sorted({task.provider for task in tasks.values()}):
        check_provider(services, provider)


def check_lifetimes(services: Services, tasks: Tasks) -> None:
    """No vendor has shut down a model that is asked for. Raises `ModelShutDown`."""
    today = day_of(services.now())
    for model in sorted({task.model for task in tasks.values()}):
        lifetime = services.catalogue.lifetime(model)
        if lifetime.sunset is not None and lifetime.is_over(today):
            raise ModelShutDown(model, lifetime.sunset, lifetime.successor)


CHECKS: tuple[Check, ...] = (
    OrderCheck("priority", (PriorityNotAllowed,), of_the_moment=False, look=check_priority),
    OrderCheck("model", (UnknownModel,), of_the_moment=False, look=find_model),
    OrderCheck("input", (BadInput,), of_the_moment=False, look=parse_input),
    OrderCheck("kind", (UnknownKind, BadInput), of_the_moment=False, look=choose_kind),
    OrderCheck("run_at", (BadInput,), of_the_moment=False, look=check_run_at),
    TaskCheck("lifetime", (ModelShutDown,), of_the_moment=True, look=check_lifetimes),
    TaskCheck("provider", (PaidProviderRefused, ProviderNotConfigured), of_the_moment=True, look=check_providers),
    TaskCheck("references", (OutOfReach,), of_the_moment=True, look=check_references, concerns=names_something),
    CommitCheck("budget", (BudgetExceeded,), of_the_moment=True),
    CommitCheck("key limits", (KeyLimitExceeded,), of_the_moment=True),
)
"""All of them. Checks of orders come first, those of the commit last."""

ERRORS_OF_THE_MOMENT = tuple(error for check in CHECKS if check.of_the_moment for error in check.errors)

_ORDER_CHECKS = tuple(check for check in CHECKS if isinstance(check, OrderCheck))
_TASK_CHECKS = tuple(check for check in CHECKS if isinstance(check, TaskCheck))


def check_order(services: Services, candidate: Candidate) -> None:
    """Make the checks of orders. Raises the `errors` of the first one that is not met."""
    for check in _ORDER_CHECKS:
        check.look(services, candidate)


async def check_tasks(services: Services, tasks: Tasks) -> None:
    """Make the checks of tasks. Raises the `errors` of the first one that is not met, `DatabaseUnavailable`."""
    for check in _TASK_CHECKS:
        concerns = check.concerns
        concerned = tasks if concerns is None else {place: task for place, task in tasks.items() if concerns(task)}
        if concerned:
            pending = check.look(services, concerned)
            if pending is not None:
                await pending
