"""Three shops that sell the same, and orders that may go to each of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import Field

from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.routing.route import Route, Routes, RouteStep
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.provider import Input, Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import Shop

KIND = "text-to-image"
MODELS = ("one/a", "two/b", "three/c")


class Sized(Input):
    prompt: str
    size: str | None = Field(None, pattern=r"^[0-9]+x[0-9]+$")


class Counted(Input):
    prompt: str
    width: int = 512
    height: int = 512
    n: int = Field(1, le=4)
    negative_prompt: str | None = None


class Spoken(Input):
    text: str


def provider(name: str, model: str, takes: type[Input], shop: Shop, **changes: Any) -> Provider:
    price = changes.pop("price", "0.01")
    made: Model[Any] = Model(model, (KIND,), takes, shop, price=lambda _: Decimal(price))
    return Provider(name, (made,), **{"paid": True, **changes})


def open_shops(world):
    """Three shops that sell the same, each behind an account of its own."""
    one, two, three = Shop(), Shop(), Shop()
    catalogue = LoadedCatalogue(
        [
            provider("one", "a", Counted, one, price="0.02"),
            provider("two", "b", Sized, two, price="0.05"),
            provider("three", "c", Spoken, three, price="0.01"),
        ]
    )
    world.gate._guarded = frozenset({"one", "two", "three"})
    world.services = replace(world.services, catalogue=catalogue)
    return one, two, three


def with_route(world, **changes):
    steps = tuple(RouteStep(model) for model in MODELS)
    route = replace(Route("portrait", steps, KIND), **changes)
    world.services = replace(world.services, routes=Routes({"portrait": route}, {KIND: "portrait"}))


async def ask(world, model: Any = MODELS, **document: Any):
    order = Order(model, {"prompt": "a fox", **document}, kind=KIND if model is None else None)
    return (await submit(world.services, order)).task


async def run(world, task):
    async with world.worker():
        return await world.ended(task)


async def held_up(world, *providers):
    """The circuits of these providers are open for an hour."""
    world.gate._policy = replace(world.gate._policy, first_s=3600.0, longest_s=3600.0)
    for name in providers:
        for _ in range(4):
            await world.gate.failed(name, ProviderUnavailable("down").failure)
