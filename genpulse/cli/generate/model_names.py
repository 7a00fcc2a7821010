"""Models by the words of a command line: one, several with commas between them, or the name of a route."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from genpulse.cli.errors import CommandRefused
from genpulse.domain.kind import ANY
from genpulse_client import AsyncGenPulse, Model


def asked_as(words: str) -> str | tuple[str, ...]:
    """What an order says for these words. Raises `CommandRefused` where they name nothing."""
    names = tuple(name.strip() for name in words.split(",") if name.strip())
    if not names:
        raise CommandRefused(f"--model {words!r} names no model. See genpulse models.")
    return names if len(names) > 1 else names[0]


async def model_named(client: AsyncGenPulse, words: str) -> Model:
    """The model that is tried first, with the kinds that all of them do.

    Raises `CommandRefused` for a word that is neither a model nor a route, `GenPulseError`.
    """
    query = asked_as(words)
    names = (query,) if isinstance(query, str) else query
    if all("/" in name for name in names):
        return await _first_of(client, names)
    routes = {route["name"]: route for route in await client.routes()}
    for name in names:
        if "/" not in name and name not in routes:
            known = f"The routes here are {', '.join(routes)}" if routes else "No route is configured here"
            raise CommandRefused(
                f"There is no route {name!r}. {known}; a model is provider/name: genpulse models."
            )
    first = await _first_of(client, [model for name in names for model in _models_of(name, routes)])
    return replace(first, kinds=(routes[query]["kind"],)) if isinstance(query, str) else first


def _models_of(name: str, routes: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    if name not in routes:
        return (name,)
    steps = routes[name]["models"]
    return [step["model"] for step in steps if step["offered"]] or [step["model"] for step in steps]


async def _first_of(client: AsyncGenPulse, names: Sequence[str]) -> Model:
    models = [await client.model(name) for name in dict.fromkeys(names)]
    named = dict.fromkeys(kind for model in models for kind in model.kinds)
    shared = tuple(kind for kind in named if all({kind, ANY} & set(model.kinds) for model in models))
    return replace(models[0], kinds=shared or models[0].kinds)
