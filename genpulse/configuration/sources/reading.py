"""All four layers as they are read, before anything is checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.sources.layers import Layer, Tree, merged
from genpulse.configuration.sources.project import Project, find_project
from genpulse.configuration.sources.variables import (
    Variable,
    dotenv_variables,
    last_of_each,
    process_variables,
    variables_layer,
)
from genpulse.configuration.sources.yaml_file import DEFAULT, every_layer
from genpulse.environment.build_info import BrokenBuildInfo, Build, read_build_info
from genpulse.environment.resolve import SWITCHES, Resolved, resolve
from genpulse.environment.table import Environment

COMMITTED_LAYERS = ("default", "environment")


@dataclass(frozen=True, slots=True)
class Reading:
    """The layers as they were read: the four, or the two committed ones alone; `build` is the build info.

    `committed` are all sections of the committed file, those of other environments among them.
    """

    project: Project
    resolved: Resolved
    layers: tuple[Layer, ...]
    variables: tuple[Variable, ...]
    build: Build | None = None
    committed: tuple[Layer, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether this is what a process would start with, and not what is committed alone."""
        return len(self.layers) > len(COMMITTED_LAYERS)

    @property
    def values(self) -> Tree:
        """All layers merged."""
        return merged(self.layers)


def find_environment(folder: Path | None, process: Mapping[str, str]) -> Resolved:
    """The environment alone. Raises `EnvironmentProblem`, `ConfigurationError`."""
    project = find_project(folder)
    return _resolved(project, process, dotenv_variables(project.secrets))


def read(folder: Path | None, process: Mapping[str, str]) -> Reading:
    """Everything. Raises `EnvironmentProblem`, and `ConfigurationError` when a file is broken."""
    project = find_project(folder)
    secrets = dotenv_variables(project.secrets)
    resolved = _resolved(project, process, secrets)
    secrets = () if resolved.skips_dotenv else secrets
    own = process_variables(process)
    committed = every_layer(project.committed, project.shown)
    layers = (
        *_in_force(committed, resolved.environment),
        variables_layer("dotenv", secrets),
        variables_layer("environ", own),
    )
    return Reading(project, resolved, layers, (*secrets, *own), _build(), tuple(committed.values()))


def read_committed(folder: Path | None, environment: Environment) -> Reading:
    """Read what is committed for an environment, without its secrets."""
    project = find_project(folder)
    resolved = Resolved(environment, "the command line")
    committed = every_layer(project.committed, project.shown)
    return Reading(project, resolved, _in_force(committed, environment), (), committed=tuple(committed.values()))


def _in_force(committed: Mapping[str, Layer], environment: Environment) -> tuple[Layer, Layer]:
    layers = zip(COMMITTED_LAYERS, (DEFAULT, environment.dynaconf), strict=True)
    default, own = (replace(committed[section], name=name) for name, section in layers)
    return default, own


def _build() -> Build | None:
    try:
        return read_build_info()
    except BrokenBuildInfo as error:
        raise ConfigurationError("", [Fault("", "", str(error))]) from error


def _resolved(project: Project, process: Mapping[str, str], secrets: Sequence[Variable]) -> Resolved:
    _refuse_unclear(secrets)
    variables = {name: variable.value for name, variable in last_of_each(secrets).items()}
    return resolve(process, variables, project.secrets.name, required=True if _build() else None)


def _refuse_unclear(secrets: Sequence[Variable]) -> None:
    """A `.env` that seems to say whose it is, and does not. Raises `ConfigurationError`."""
    switches = [variable for variable in secrets if variable.name.upper() in SWITCHES]
    small = [
        Fault(
            "", each.place, f"{each.name} is not read: variables are written in capitals. Use {each.name.upper()}."
        )
        for each in switches
        if each.name not in SWITCHES
    ]
    by_name = {each.name: each for each in switches}
    twice = [
        Fault(
            "",
            each.place,
            f"{each.name}={each.value!r}, and {each.name}={last.value!r} below it: keep one of them.",
        )
        for each in switches
        if (last := by_name[each.name]).value.strip().lower() != each.value.strip().lower()
    ]
    if small or twice:
        raise ConfigurationError("", [*small, *twice])
