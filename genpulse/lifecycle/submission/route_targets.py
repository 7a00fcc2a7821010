"""The models to which an order may go on its route, each with the input as it takes it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.place import values
from genpulse.domain.json.value import JsonObject
from genpulse.domain.kind import ANY
from genpulse.domain.routing.adaptation import Adapted, InputFields, adapt
from genpulse.domain.routing.route import Route, RouteOrder, RouteStep
from genpulse.domain.routing.task_route import RouteTarget
from genpulse.domain.submission.file_reference import InputFile
from genpulse.domain.submission.order import Order
from genpulse.lifecycle.routing.availability import is_offered
from genpulse.ports import Services
from genpulse.provider import AnyModel
from genpulse.provider.inputs.asset_ref import files_in


def targets_of(services: Services, route: Route, order: Order, place: str = "") -> tuple[RouteTarget, ...]:
    """The models in the order in which they are tried; those that are not offered here are left out.

    Where none is, all of them stay, so that the order is refused for the first one's reason. Raises `BadInput`
    with every field that one of them has no place for, and what does not fit there.
    """
    offered = tuple(step for step in route.steps if is_offered(services, step.model)) or route.steps
    reading = _Reading(services, route, order, place)
    targets = [(step, reading.target(step)) for step in offered]
    reading.refuse_misfits()
    return tuple(_in_order(services, route, [(step, target) for step, target in targets if target is not None]))


def shared_kind(services: Services, targets: Sequence[RouteTarget], order: Order) -> str | None:
    """The kind that the input asks for, by the first model that can tell; None where one leaves it open.

    A model that does anything does that as well: it is of `ANY` kind only where all of them are.
    """
    kinds = [
        model.kind_of(parsed) for model, parsed in (parsed_on(services, target, order.input) for target in targets)
    ]
    named = next((kind for kind in kinds if kind not in {None, ANY}), None)
    return named or (None if None in kinds else ANY)


def files_on_route(
    services: Services, targets: Sequence[RouteTarget], document: JsonObject
) -> Iterator[InputFile]:
    """The files that an input names, each in its place there, with the media that each of the models takes.

    A model may have another name for the field: what stands there is the same.
    """
    for target in targets:
        _, parsed = parsed_on(services, target, document)
        for file in files_in(parsed):
            if target.input is None:
                yield file
                continue
            for place, value in values(document):
                if value == file.reference:
                    yield InputFile(place, file.reference, file.media)


def parsed_on(services: Services, target: RouteTarget, document: JsonObject) -> tuple[AnyModel, Any]:
    """The model of a target, and the input as its own type. The document has been read by it before."""
    model = services.catalogue.model(target.model)
    return model, model.parse(document if target.input is None else target.input)


class _Reading:
    """Brings an order's input to one model after the other, and notes what does not fit."""

    def __init__(self, services: Services, route: Route, order: Order, place: str) -> None:
        self._services = services
        self._route = route
        self._order = order
        self._place = place
        self._problems: list[Problem] = []

    def target(self, step: RouteStep) -> RouteTarget | None:
        """None where the input does not fit, which is noted."""
        model = self._services.catalogue.model(step.model)
        adapted = adapt(self._order.input, fields_of(model), step.rename)
        self._note_left(step, adapted)
        try:
            price_usd = model.price_of(model.parse(adapted.input))
        except BadInput as error:
            self._problems += [self._problem(step, problem) for problem in error.problems]
            return None
        own = None if adapted.input == self._order.input else adapted.input
        version = "" if price_usd is None else model.price_version
        return RouteTarget(step.model, own, price_usd, adapted.left_out, version)

    def _note_left(self, step: RouteStep, adapted: Adapted) -> None:
        for name in adapted.left_out:
            if name not in self._route.drop:
                detail = f"{step.model} has no place for it: leave it out, or let the route drop it"
                self._problems.append(Problem(f"{self._place}/input/{name}", detail))

    def _problem(self, step: RouteStep, problem: Problem) -> Problem:
        return Problem(f"{self._place}/input{problem.pointer}", f"{step.model}: {problem.detail}")

    def refuse_misfits(self) -> None:
        """Raises `BadInput`."""
        if self._problems:
            raise BadInput("The input does not fit every model of the route.", self._problems)


def fields_of(model: AnyModel) -> InputFields:
    """The fields that the input of a model has."""
    input_: type[BaseModel] = model.input
    return _fields_of(input_)


@lru_cache(maxsize=1024)
def _fields_of(input_: type[BaseModel]) -> InputFields:
    names = frozenset(field.alias or name for name, field in input_.model_fields.items())
    return InputFields(names, is_open=input_.model_config.get("extra") == "allow")


def _in_order(
    services: Services, route: Route, targets: Sequence[tuple[RouteStep, RouteTarget]]
) -> Iterator[RouteTarget]:
    match route.order:
        case RouteOrder.WRITTEN:
            yield from (target for _, target in targets)
        case RouteOrder.PRICE:
            yield from sorted((target for _, target in targets), key=_price)
        case RouteOrder.LATENCY:
            yield from sorted((target for _, target in targets), key=lambda one: services.latencies.of(one.model))
        case RouteOrder.WEIGHT:
            yield from _drawn(services, targets)


def _price(target: RouteTarget) -> tuple[bool, Decimal]:
    """What costs nobody knows how much comes last."""
    return target.price_usd is None, target.price_usd or Decimal(0)


def _drawn(services: Services, targets: Sequence[tuple[RouteStep, RouteTarget]]) -> Iterator[RouteTarget]:
    """By lot, without putting any back."""
    candidates = list(targets)
    while candidates:
        lot = services.random() * sum(step.weight for step, _ in candidates)
        for place, (step, _) in enumerate(candidates):
            lot -= step.weight
            if lot < 0 or place + 1 == len(candidates):
                yield candidates.pop(place)[1]
                break
