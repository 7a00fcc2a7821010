"""Resolving the environment from the process and `.env`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.environment.errors import (
    EnvironmentConflict,
    NamelessSecrets,
    NoEnvironment,
    UnknownEnvironment,
    looks_like_a_start_up_file,
)
from genpulse.environment.table import BY_DYNACONF, BY_NAME, LOCAL, Environment

REQUIRE_FILE = Path("/etc/genpulse/require-env")
"""Where this file is nothing is assumed, as in an image that carries the info of its build."""
_PROCESS = "the process environment"
_BY_SWITCH = {"ENV": BY_NAME, "ENV_FOR_DYNACONF": BY_DYNACONF}
SWITCHES = tuple(_BY_SWITCH)
"""The variables that choose the environment."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The environment, the variable and place that decided it, and what was passed over with a warning.

    `skips_dotenv`: the `.env` is another environment's, and nothing of it counts.
    """

    environment: Environment
    decided_by: str
    warning: str = ""
    skips_dotenv: bool = False


@dataclass(frozen=True, slots=True)
class _SwitchValue:
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
    """The environment that `ENV` or `ENV_FOR_DYNACONF` names, in the process, and in `.env` where that is silent.

    Case and blanks do not matter, empty is unset. With neither it is development, unless `required` (None: where
    `REQUIRE_FILE` is). A `.env` that names another environment than the process is skipped whole.
    Raises `UnknownEnvironment`, `EnvironmentConflict`, `NamelessSecrets`, `NoEnvironment`.
    """
    process, warning = _without_start_up_file(process, dotenv)
    of_process, of_dotenv = _switch_of(process, _PROCESS), _switch_of(dotenv, dotenv_path)
    if of_process is None and of_dotenv is None:
        if required or (required is None and REQUIRE_FILE.exists()):
            raise NoEnvironment
        return Resolved(LOCAL, f"the default, since neither {' nor '.join(SWITCHES)} is set", warning)
    decisive = of_process or of_dotenv
    assert decisive is not None  # noqa: S101 - one of the two
    decided_by = f"{decisive.variable} in {decisive.source}"
    if of_process is not None and of_dotenv is not None and of_process.environment != of_dotenv.environment:
        skipped = f"{of_process}; {of_dotenv}. Nothing of {dotenv_path} is read."
        return Resolved(of_process.environment, decided_by, f"{warning} {skipped}".strip(), skips_dotenv=True)
    if of_dotenv is None and dotenv and not decisive.environment.spawns_services:
        raise NamelessSecrets(dotenv_path, decisive.environment)
    return Resolved(decisive.environment, decided_by, warning)


def _without_start_up_file(
    process: Mapping[str, str], dotenv: Mapping[str, str | None]
) -> tuple[Mapping[str, str], str]:
    """Shells have a use of their own for ENV; where the other variable decides, theirs does not count."""
    value = process.get("ENV") or ""
    decided = any((values.get("ENV_FOR_DYNACONF") or "").strip() for values in (process, dotenv))
    if not (decided and looks_like_a_start_up_file(value)):
        return process, ""
    warning = f"ENV={value!r} (from {_PROCESS}) is a shell's start-up file and does not count."
    return {name: text for name, text in process.items() if name != "ENV"}, warning


def _switch_of(values: Mapping[str, str | None], source: str) -> _SwitchValue | None:
    """Read the environment from one place. Raises `UnknownEnvironment`, `EnvironmentConflict`."""
    switches = [
        _switch_value(name, value, source) for name in SWITCHES if (value := values.get(name) or "").strip()
    ]
    if len(switches) == 2 and switches[0].environment != switches[1].environment:
        raise EnvironmentConflict(str(switches[0]), str(switches[1]))
    return switches[0] if switches else None


def _switch_value(name: str, value: str, source: str) -> _SwitchValue:
    by_value = _BY_SWITCH[name]
    environment = by_value.get(value.strip().lower())
    if environment is None:
        raise UnknownEnvironment(name, value, source, list(by_value))
    return _SwitchValue(name, value, source, environment)
