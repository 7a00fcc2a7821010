"""The route of a task as it is kept on its row."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic_core import from_json, to_json

from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.json.value import JsonObject
from genpulse.domain.routing.task_route import RouteHop, RouteTarget, TaskRoute

_Document = Mapping[str, Any]


def route_text(route: TaskRoute) -> str:
    """As JSON. The input of a target stands in it as text, so that its numbers stay as they were sent."""
    return to_json(
        {
            "name": route.name,
            "on": sorted(route.on),
            "place": route.place,
            "targets": [_target_document(target) for target in route.targets],
            "hops": [_hop_document(hop) for hop in route.hops],
        }
    ).decode()


def move_text(left_model: str, route: TaskRoute) -> str:
    """Where a task goes that leaves this model, as JSON."""
    target = route.current
    document = {
        "left": left_model.partition("/")[0],
        "left_model": left_model,
        "provider": target.provider,
        "model": target.model,
        "route": route_text(route),
    }
    return to_json(document).decode()


def route_of(document: _Document | None) -> TaskRoute | None:
    """The reverse of `route_text`."""
    if document is None:
        return None
    return TaskRoute(
        name=document["name"],
        targets=tuple(_target_of(one) for one in document["targets"]),
        on=frozenset(FailureCode(code) for code in document["on"]),
        place=document["place"],
        hops=tuple(_hop_of(one) for one in document["hops"]),
    )


def _target_document(target: RouteTarget) -> JsonObject:
    return {
        "model": target.model,
        "input": None if target.input is None else to_json(target.input).decode(),
        "price_usd": None if target.price_usd is None else str(target.price_usd),
        "dropped": list(target.dropped),
        "rule_version": target.rule_version,
    }


def _target_of(document: _Document) -> RouteTarget:
    price, text = document["price_usd"], document["input"]
    return RouteTarget(
        model=document["model"],
        input=None if text is None else from_json(text),
        price_usd=None if price is None else Decimal(price),
        dropped=tuple(document["dropped"]),
        rule_version=document.get("rule_version", ""),
    )


def _hop_document(hop: RouteHop) -> JsonObject:
    return {
        "model": hop.model,
        "attempt": hop.attempt,
        "code": hop.code,
        "message": hop.message,
        "at": hop.at.isoformat(),
        "charged": hop.charged.value,
    }


def _hop_of(document: _Document) -> RouteHop:
    return RouteHop(
        model=document["model"],
        attempt=document["attempt"],
        code=document["code"],
        message=document["message"],
        at=datetime.fromisoformat(document["at"]),
        charged=Charged(document["charged"]),
    )
