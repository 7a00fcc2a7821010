"""Turning merged layers into typed, frozen settings, or into a list of faults."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from genpulse.addresses import proxies
from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.rules import near_names, policy
from genpulse.configuration.rules.committed_secrets import LOOKS_SECRET, committed_dotenv, committed_secrets
from genpulse.configuration.schema import ANY_PROVIDER, ROUTES, find, is_open
from genpulse.configuration.settings import RouteSection, RouteStepSection, Settings
from genpulse.configuration.sources.layers import Tree, place_of, value_of
from genpulse.configuration.sources.reading import COMMITTED_LAYERS, Reading
from genpulse.configuration.sources.variables import PROCESS
from genpulse.environment.namespace import NAMESPACE_WORDS

_SHORT = 60
_DEPTH_OF_ROUTE = 3
_WORDS = {
    "redis.namespace": NAMESPACE_WORDS,
    f"providers.{ANY_PROVIDER}.rate": "how many in a time, such as 5/s, 60/min or 1000/h",
}
"""What is expected, where the type does not say it."""


def freeze(reading: Reading, values: Tree, missing: Sequence[Fault] = ()) -> Settings:
    """The settings. Raises `ConfigurationError` with every fault: of names, of values, of what is missing, and,
    when the reading is complete, what the environment does not allow.
    """
    faults = [*_of_names(reading)]
    settings, of_values = _typed(reading, values)
    faults += of_values
    faults += missing
    faults += committed_secrets(reading.committed)
    faults += [Fault(name, "", why) for name, why in proxies.refusals(_of_process(reading))]
    if reading.is_complete:
        faults += committed_dotenv(reading.project)
    if settings is not None and reading.is_complete:
        faults += policy.faults(settings, reading.layers, reading.build)
    if faults or settings is None:
        raise ConfigurationError(reading.resolved.environment.dynaconf, sorted(set(faults), key=str))
    return settings


def _of_names(reading: Reading) -> Iterator[Fault]:
    for layer in reading.layers[: len(COMMITTED_LAYERS)]:
        yield from near_names.unknown_keys(layer)
    yield from near_names.unknown_variables(reading.variables)
    yield from near_names.contradictions(reading.variables)


def _typed(reading: Reading, values: Tree) -> tuple[Settings | None, list[Fault]]:
    """The settings as far as they can be made: what does not fit is left out, so that the rest is looked at."""
    facts = {
        "environment": reading.resolved.environment,
        "decided_by": reading.resolved.decided_by,
        "root": reading.project.root,
        "proxies": proxies.Proxies.of(_of_process(reading)),
    }
    try:
        return Settings.model_validate({**values, **facts}), []
    except ValidationError as error:
        misfits = error.errors(include_url=False, include_input=False)
    rest = deepcopy(values)
    for misfit in misfits:
        _remove(rest, misfit["loc"])
    faults = [fault for misfit in misfits if (fault := _fault(misfit, reading))]
    try:
        return Settings.model_validate({**rest, **facts}), faults
    except ValidationError:
        return None, faults


def _of_process(reading: Reading) -> dict[str, str]:
    """The variables of the process alone: other programs of the process read proxies from there."""
    return {each.name: each.value for each in reading.variables if each.place == PROCESS}


def _remove(values: Tree, path: Sequence[int | str]) -> None:
    inner: object = values
    for part in path[:-1]:
        inner = inner.get(str(part)) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(str(path[-1]), None)


def _fault(misfit: ErrorDetails, reading: Reading) -> Fault | None:
    """The fault of a value; None for an unknown name, which has a fault of its own."""
    if misfit["type"] == "extra_forbidden" and misfit["loc"][0] != ROUTES:
        return None
    key = ".".join(str(part) for part in misfit["loc"])
    while value_of(reading.values, key) is None and "." in key:
        key = key.rpartition(".")[0]
    setting = find(key)
    value = value_of(reading.values, key)
    if misfit["loc"][0] == ROUTES:
        return Fault(".".join(str(part) for part in misfit["loc"]), _place(reading, key), _of_route(misfit))
    if setting is not None and isinstance(value, dict) and not is_open(setting.key):
        return None
    if isinstance(value, dict) or (setting is None and misfit["type"].endswith("_type")):
        return (
            None
            if setting is None and not isinstance(value, dict)
            else Fault(key, _place(reading, key), "no text")
        )
    expected = f"expected {_WORDS.get(setting.key, setting.kind)}" if setting else misfit["msg"]
    hidden = setting is None or setting.secret or LOOKS_SECRET.search(str(value))
    return Fault(key, _place(reading, key), expected + ("" if hidden else f", found {_short(value)}"))


def _of_route(misfit: ErrorDetails) -> str:
    """What is wrong in a route: its names are no settings of their own."""
    if misfit["type"] != "extra_forbidden":
        return misfit["msg"]
    section = RouteSection if len(misfit["loc"]) <= _DEPTH_OF_ROUTE else RouteStepSection
    names = [field.alias or name for name, field in section.model_fields.items()]
    return f"it is no part of a route; there is {', '.join(names)}"


def _place(reading: Reading, key: str) -> str:
    return place_of(reading.layers, key)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else text[:_SHORT] + "…"
