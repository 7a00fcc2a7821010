"""Which environment is meant, and who said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.environment.errors import (
    EnvironmentConflict,
    ForeignSecrets,
    NoEnvironment,
    UnknownEnvironment,
    looks_like_a_start_up_file,
)
from genpulse.environment.table import BY_DYNACONF, BY_NAME, LOCAL, Environment

REQUIRE_FILE = Path("/etc/genpulse/require-env")
"""Where this file is nothing is assumed, as in an image that carries the stamp of its build."""
_PROCESS = "the process environment"
_BY_SWITCH = {"ENV": BY_NAME, "ENV_FOR_DYNACONF": BY_DYNACONF}
SWITCHES = tuple(_BY_SWITCH)
"""The variables that choose the environment."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The environment, the variable and place that decided it, and what was passed over with a warning."""

    environment: Environment
    decided_by: str
    warning: str = ""


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
    `REQUIRE_FILE` is). Raises `UnknownEnvironment`, `EnvironmentConflict`, `ForeignSecrets`,
    `NoEnvironment`.
    """
    values = {name: _value(name, process, dotenv, dotenv_path) for name in SWITCHES}
    warning = ""
    if values["ENV_FOR_DYNACONF"] and values["ENV"] and looks_like_a_start_up_file(values["ENV"][0]):
        warning = (
            f"ENV={values['ENV'][0]!r} (from {values['ENV'][1]}) is a shell's start-up file and does not count."
        )
        values["ENV"] = None
    said = [_said(name, *value) for name, value in values.items() if value]
    if len(said) == 2 and said[0].environment != said[1].environment:
        raise EnvironmentConflict(str(said[0]), str(said[1]))
    if not said and (required or (required is None and REQUIRE_FILE.exists())):
        raise NoEnvironment
    if not said:
        return Resolved(LOCAL, f"the default, since neither {' nor '.join(SWITCHES)} is set", warning)
    _check_secrets(said[0].environment, dotenv, dotenv_path)
    return Resolved(said[0].environment, f"{said[0].variable} in {said[0].source}", warning)


def _check_secrets(environment: Environment, dotenv: Mapping[str, str | None], dotenv_path: str) -> None:
    """A `.env` that says whose it is does not get into production when it is another's."""
    if not environment.is_production:
        return
    for name in SWITCHES:
        value = dotenv.get(name) or ""
        if value.strip() and (other := _said(name, value, dotenv_path)).environment != environment:
            raise ForeignSecrets(str(other), environment.dynaconf)


def _value(
    name: str, process: Mapping[str, str], dotenv: Mapping[str, str | None], dotenv_path: str
) -> tuple[str, str] | None:
    for values, source in ((process, _PROCESS), (dotenv, dotenv_path)):
        value = values.get(name) or ""
        if value.strip():
            return value, source
    return None


def _said(name: str, value: str, source: str) -> _Said:
    known = _BY_SWITCH[name]
    environment = known.get(value.strip().lower())
    if environment is None:
        raise UnknownEnvironment(name, value, source, list(known))
    return _Said(name, value, source, environment)
