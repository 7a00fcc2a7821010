"""The configuration: four layers, each over the one before, then frozen into typed `Settings`.

The layers are `config/config.yaml [default]`, its section of the environment, `.env`, and environment variables.
Dictionaries merge key by key, all else replaces. A project is the current folder, or the nearest one above it,
that holds `config/config.yaml`; without one the defaults inside the package are used, and `.env` of the folder.

Environment variables begin with `GENPULSE_`, and `__` goes one level down: `GENPULSE_REDIS__URL` is `redis.url`.

`settings` is all of it as a Dynaconf object. The house uses `load()`, once at the start.
"""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.sources import reading
from genpulse.configuration.sources.project import find_project

if TYPE_CHECKING:
    from genpulse.configuration.dynaconf_view.settings import FrozenSettings
    from genpulse.configuration.settings import Settings
    from genpulse.configuration.sources.reading import Reading
    from genpulse.environment.resolve import Resolved
    from genpulse.environment.table import Environment

__all__ = [
    "SERVERS",
    "ConfigurationError",
    "Fault",
    "as_dynaconf",
    "check_committed",
    "check_worker",
    "find_environment",
    "find_namespace",
    "load",
    "project_root",
    "tell",
]

DATABASE = ("database_url",)
"""Without it there is no task."""
SERVERS = (*DATABASE, "redis.url")
"""What every process that works with tasks needs."""
PRODUCTION = ("webhooks.secret",)
"""What it needs in production besides: messages that nobody can verify are not sent from there."""


def find_environment(folder: Path | None = None, process: Mapping[str, str] | None = None) -> "Resolved":
    """The environment alone, without the rest. Raises `EnvironmentProblem`, `ConfigurationError`."""
    return reading.find_environment(folder, os.environ if process is None else process)


def find_namespace(
    folder: Path | None = None, process: Mapping[str, str] | None = None
) -> "tuple[Environment, str]":
    """The environment and `redis.namespace`, whatever else is missing or wrong.

    Raises `EnvironmentProblem`, `ConfigurationError` for a broken file.
    """
    from genpulse.configuration.sources.layers import value_of

    found = reading.read(folder, os.environ if process is None else process)
    tell(found.resolved)
    return found.resolved.environment, str(value_of(found.values, "redis.namespace") or "")


def project_root(folder: Path | None = None) -> Path:
    """The folder at which relative paths begin. Raises `ConfigurationError`."""
    return find_project(folder).root


def load(
    folder: Path | None = None,
    process: Mapping[str, str] | None = None,
    *,
    require: Sequence[str] = SERVERS,
) -> "Settings":
    """Read all layers, validate, and freeze. `require` names the keys without which the caller cannot work.

    Whoever needs all servers needs in production what `PRODUCTION` names, too.

    Raises `EnvironmentProblem`, and `ConfigurationError` with every problem at once.
    """
    sources = reading.read(folder, os.environ if process is None else process)
    tell(sources.resolved)
    serves = sources.resolved.environment.is_production and set(SERVERS) <= set(require)
    return _frozen(sources, (*require, *PRODUCTION) if serves else require)


def check_worker(settings: "Settings") -> None:
    """What a worker needs besides all else: that webhooks name the API. Raises `ConfigurationError`."""
    from genpulse.configuration.dynaconf_view.validation_error import InvalidConfiguration
    from genpulse.configuration.rules.policy import address_fault

    if fault := address_fault(settings):
        raise InvalidConfiguration(settings.environment.dynaconf, [fault])


def check_committed(environment: "Environment", folder: Path | None = None) -> "Settings":
    """The settings as far as they are committed for an environment. Raises `ConfigurationError`."""
    return _frozen(reading.read_committed(folder, environment), ())


def _frozen(sources: "Reading", require: Sequence[str]) -> "Settings":
    from genpulse.configuration.dynaconf_view.validation_error import InvalidConfiguration
    from genpulse.configuration.freezing import freeze
    from genpulse.configuration.rules.requirements import missing

    try:
        return freeze(sources, sources.values, list(missing(sources, require)))
    except ConfigurationError as error:
        raise InvalidConfiguration(error.environment, error.faults) from None


_once = threading.Lock()
_settings: "list[FrozenSettings]" = []
_warned: set[str] = set()


def tell(resolved: "Resolved") -> None:
    """Say once in this process what was passed over when its environment was found."""
    if resolved.warning and resolved.warning not in _warned:
        _warned.add(resolved.warning)
        sys.stderr.write(f"genpulse: warning: {resolved.warning}\n")


def __getattr__(name: str) -> "FrozenSettings":
    """`settings`, made when somebody first asks: `import genpulse.config` reads nothing.

    Raises `EnvironmentProblem`, `ConfigurationError` (a `dynaconf.ValidationError`). Outside of development, where
    nothing is started by itself, that goes for a database that is not named, too.
    """
    if name != "settings":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _once:
        if not _settings:
            _settings.append(as_dynaconf())
        return _settings[0]


def as_dynaconf(folder: Path | None = None, process: Mapping[str, str] | None = None) -> "FrozenSettings":
    """All layers as a Dynaconf object that does not change. Raises as `settings` does."""
    from genpulse.configuration.dynaconf_view.settings import FrozenSettings
    from genpulse.configuration.rules.requirements import validators

    sources = reading.read(folder, os.environ if process is None else process)
    tell(sources.resolved)
    spawns = sources.resolved.environment.spawns_services
    return FrozenSettings(_frozen(sources, () if spawns else DATABASE), validators(sources, DATABASE))
