"""What becomes of an order that is placed by a client token: the token's own words in it, and nothing beside."""

from collections.abc import Iterator
from dataclasses import replace

from genpulse.domain.errors import OutsideClientToken, Problem
from genpulse.domain.keys.client_token import ClientToken, OrderTerms
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Priority

_NOT_SAID = "a client token does not let this be said"


def order_by(token: ClientToken, order: Order, place: str = "") -> Order:
    """The order as it is taken. Raises `OutsideClientToken`."""
    terms = token.orders
    if terms is None:
        raise OutsideClientToken("This client token is good for watching tasks, and submits none.")
    problems = [Problem(f"{place}/{where}", why) for where, why in _outside(terms, order)]
    if problems:
        raise OutsideClientToken("This client token is not good for such a task.", problems)
    return replace(
        order,
        model=terms.models[0] if order.model is None else order.model,
        input={**order.input, **terms.input},
        metadata=terms.metadata,
        webhook_url=terms.webhook_url,
    )


def stored_key(token: ClientToken, idempotency_key: str) -> str:
    """The idempotency key under which an order is kept: apart from those of the API key and of other tokens."""
    return f"client-token {token.id} {idempotency_key}"


def _outside(terms: OrderTerms, order: Order) -> Iterator[tuple[str, str]]:
    yield from _model(terms, order)
    yield from _input(terms, order)
    if order.metadata and order.metadata != terms.metadata:
        yield "metadata", f"{_NOT_SAID}; the server that gave it has said what there is"
    for name, is_said in (
        ("webhook_url", order.webhook_url not in {None, terms.webhook_url}),
        ("run_at", order.run_at is not None),
        ("retain_s", order.retain_s is not None),
        ("priority", order.priority > Priority.NORMAL),
    ):
        if is_said:
            yield name, _NOT_SAID


def _model(terms: OrderTerms, order: Order) -> Iterator[tuple[str, str]]:
    if order.model is None:
        if len(terms.models) > 1:
            yield "model", f"name one of {', '.join(terms.models)}"
        return
    named = (order.model,) if isinstance(order.model, str) else order.model
    for model in named:
        if model not in terms.models:
            yield "model", f"{model[:200]!r} is none of {', '.join(terms.models)}"


def _input(terms: OrderTerms, order: Order) -> Iterator[tuple[str, str]]:
    for name, value in order.input.items():
        where = f"input/{name.replace('~', '~0').replace('/', '~1')}"
        if name in terms.input:
            if not _is_same(value, terms.input[name]):
                yield where, "the client token has a value of its own there; leave it out"
        elif terms.fields is not None and name not in terms.fields:
            yield where, _NOT_SAID


def _is_same(one: object, other: object) -> bool:
    """Also of one kind: `1` is neither `true` nor `1.0`."""
    return one == other and repr(one) == repr(other)
