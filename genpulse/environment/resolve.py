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
"""Where this file is nothing is assumed, as in an image that carries the stamp of its build."""
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
    """The environment that `ENV` or `ENV_FOR_DYNACONF` names, in the process, and in `.env` where that is silent.

    Case and blanks do not matter, empty is unset. With neither it is development, unless `required` (None: where
    `REQUIRE_FILE` is). A `.env` that names another environment than the process is skipped whole.
    Raises `UnknownEnvironment`, `EnvironmentConflict`, `NamelessSecrets`, `NoEnvironment`.
    """
    process, warning = _without_start_up_file(process, dotenv)
    own, theirs = _named(process, _PROCESS), _named(dotenv, dotenv_path)
    if own is None and theirs is None:
        if required or (required is None and REQUIRE_FILE.exists()):
            raise NoEnvironment
        return Resolved(LOCAL, f"the default, since neither {' nor '.join(SWITCHES)} is set", warning)
    said = own or theirs
    assert said is not None  # noqa: S101 - one of the two
    decided_by = f"{said.variable} in {said.source}"
    if own is not None and theirs is not None and own.environment != theirs.environment:
        skipped = f"{own}; {theirs}. Nothing of {dotenv_path} is read."
        return Resolved(own.environment, decided_by, f"{warning} {skipped}".strip(), skips_dotenv=True)
    if theirs is None and dotenv and not said.environment.spawns_services:
        raise NamelessSecrets(dotenv_path, said.environment)
    return Resolved(said.environment, decided_by, warning)


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


def _named(values: Mapping[str, str | None], source: str) -> _Said | None:
    """What one place says. Raises `UnknownEnvironment`, `EnvironmentConflict`."""
    said = [_said(name, value, source) for name in SWITCHES if (value := values.get(name) or "").strip()]
    if len(said) == 2 and said[0].environment != said[1].environment:
        raise EnvironmentConflict(str(said[0]), str(said[1]))
    return said[0] if said else None


def _said(name: str, value: str, source: str) -> _Said:
    known = _BY_SWITCH[name]
    environment = known.get(value.strip().lower())
    if environment is None:
        raise UnknownEnvironment(name, value, source, list(known))
    return _Said(name, value, source, environment)
