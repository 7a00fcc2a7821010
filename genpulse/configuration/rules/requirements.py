"""The settings that are required, as validators of Dynaconf over the merged layers."""

from collections.abc import Callable, Iterator, Sequence

from dynaconf import ValidationError, Validator

from genpulse.addresses.postgresql import SCHEMES
from genpulse.configuration.errors import Fault
from genpulse.configuration.rules.near_names import without_prefix
from genpulse.configuration.sources.layers import place_of, value_of
from genpulse.configuration.sources.reading import Reading
from genpulse.configuration.sources.variables import variable_name

_NO_POSTGRESQL = "it must begin with postgresql://, since PostgreSQL is the only database"


def missing(reading: Reading, require: Sequence[str]) -> Iterator[Fault]:
    """Yield faults of the keys that are required, and of the database's as soon as it is set."""
    values = reading.values
    for key, validator in _rules(reading, require):
        try:
            validator.validate({key: value_of(values, key)})
        except ValidationError as error:
            yield Fault(key, place_of(reading.layers, key), error.message.removeprefix(f"{key}: "))


def validators(reading: Reading, require: Sequence[str]) -> list[Validator]:
    """The rules as validators for an object of Dynaconf."""
    return [validator for _, validator in _rules(reading, require)]


def _rules(reading: Reading, require: Sequence[str]) -> Iterator[tuple[str, Validator]]:
    for key in require:
        yield key, _rule(key, _is_said, _how_to_set(reading, key), must_exist=True)
    yield "database_url", _rule("database_url", _may_be_postgresql, _NO_POSTGRESQL)


def _rule(key: str, condition: Callable[[object], bool], message: str, **more: bool) -> Validator:
    """Dynaconf's own messages would show the value."""
    messages = dict.fromkeys(("must_exist_true", "condition", "operations", "combined"), f"{key}: {message}")
    return Validator(key, condition=condition, messages=messages, **more)


def _how_to_set(reading: Reading, key: str) -> str:
    message = f"it is missing: set {variable_name(key)} in the process environment or in .env"
    if bare := without_prefix(key, reading.variables):
        message += f" ({bare} is set, and nobody reads it: the prefix is missing)"
    if reading.resolved.environment.spawns_services:
        message += ", or run `genpulse dev`, which starts a server of its own"
    return message


def _is_said(value: object) -> bool:
    return bool(str("" if value is None else value).strip())


def _may_be_postgresql(url: object) -> bool:
    return not _is_said(url) or str(url).strip().partition("://")[0] in SCHEMES
