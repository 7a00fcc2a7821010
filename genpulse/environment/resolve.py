"""Which environment is meant, and who said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.environment.errors import EnvironmentConflict, NoEnvironment, UnknownEnvironment
from genpulse.environment.table import BY_DYNACONF, BY_NAME, DEVELOPMENT, Environment

REQUIRE_FILE = Path("/etc/genpulse/require-env")
"""A built image has this file: there nothing is assumed."""
_PROCESS = "the process environment"
_VARIABLES = {"ENV": BY_NAME, "ENV_FOR_DYNACONF": BY_DYNACONF}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The environment, and the variable and place that decided it."""

    environment: Environment
    decided_by: str


@dataclass(frozen=True, slots=True)
class _Said:
    variable: str
    value: str
    source: str
    environment: Environment

    def __str__(self) -> str:
        return f"{self.variable}={self.value!r} (from {self.source}) means {self.environment.dynaconf}"


def resolve(
    process: Mapping[str, str],
    dotenv: Mapping[str, str | None],
    dotenv_path: str = ".env",
    *,
    required: bool | None = None,
) -> Resolved:
    """The environment that `ENV` or `ENV_FOR_DYNACONF` names, each from the process first and from `.env` else.

    Case and blanks do not matter, empty is unset. With neither it is development, unless `required` (None: where
    the file of a built image is). Raises `UnknownEnvironment`, `EnvironmentConflict`, `NoEnvironment`.
    """
    values = {name: _value(name, process, dotenv, dotenv_path) for name in _VARIABLES}
    if values["ENV_FOR_DYNACONF"] and values["ENV"] and "/" in values["ENV"][0]:
        values["ENV"] = None
    said = [_said(name, *value) for name, value in values.items() if value]
    if len(said) == 2 and said[0].environment != said[1].environment:
        raise EnvironmentConflict(str(said[0]), str(said[1]))
    if said:
        return Resolved(said[0].environment, f"{said[0].variable} in {said[0].source}")
    if required or (required is None and REQUIRE_FILE.exists()):
        raise NoEnvironment
    return Resolved(DEVELOPMENT, "the default, since neither ENV nor ENV_FOR_DYNACONF is set")


def _value(
    name: str, process: Mapping[str, str], dotenv: Mapping[str, str | None], dotenv_path: str
) -> tuple[str, str] | None:
    for values, source in ((process, _PROCESS), (dotenv, dotenv_path)):
        value = values.get(name) or ""
        if value.strip():
            return value, source
    return None


def _said(name: str, value: str, source: str) -> _Said:
    known = _VARIABLES[name]
    environment = known.get(value.strip().lower())
    if environment is None:
        raise UnknownEnvironment(name, value, source, list(known))
    return _Said(name, value, source, environment)
