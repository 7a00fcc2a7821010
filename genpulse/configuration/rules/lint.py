"""Lint of committed configuration: no secret, no unknown name."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from genpulse.configuration.documents.example import example_text
from genpulse.configuration.errors import Fault
from genpulse.configuration.rules.committed_secrets import LOOKS_SECRET, committed_dotenv, committed_secrets
from genpulse.configuration.rules.near_names import unknown_keys, unknown_variables
from genpulse.configuration.sources.project import Project, read_text
from genpulse.configuration.sources.repository import is_ignored, is_in_work_tree
from genpulse.configuration.sources.variables import PREFIX, Variable, dotenv_variables
from genpulse.configuration.sources.yaml_file import committed_layers
from genpulse.environment.resolve import SWITCHES
from genpulse.environment.table import ENVIRONMENTS

_NAME = re.compile(r"^\s*#?\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_<>]*)=", re.MULTILINE)


def lint(project: Project) -> tuple[Fault, ...]:
    """Everything that is wrong with the files of a project. Raises `ConfigurationError` for a broken one."""
    return (*_of_secrets(project), *_of_example(project), *_of_committed(project))


def _of_secrets(project: Project) -> Iterator[Fault]:
    """`.env` is untracked, ignored, and holds nothing but GenPulse's variables, each once."""
    if is_in_work_tree(project.root):
        yield from committed_dotenv(project)
        if not is_ignored(project.secrets):
            yield Fault("", ".gitignore", ".env is not ignored: add a line with .env.")
    variables = dotenv_variables(project.secrets)
    yield from unknown_variables(variables)
    yield from _foreign(variables)
    yield from _twice(variables)


def _foreign(variables: Sequence[Variable]) -> Iterator[Fault]:
    for variable in variables:
        if variable.name not in SWITCHES and not variable.name.upper().startswith(PREFIX):
            yield Fault(
                "", variable.place, f"{variable.name} does not begin with {PREFIX}, and nobody reads it here."
            )


def _twice(variables: Sequence[Variable]) -> Iterator[Fault]:
    counted = Counter(variable.name for variable in variables)
    for variable in {variable.name: variable for variable in variables}.values():
        if counted[variable.name] > 1:
            yield Fault(
                "", variable.place, f"{variable.name} is set {counted[variable.name]} times; the last one counts."
            )


def _of_example(project: Project) -> Iterator[Fault]:
    """`.env.example` is there, knows every setting, and has no secret in it."""
    path = project.secrets.with_name(".env.example")
    if not path.exists():
        yield Fault("", path.name, "it is missing: genpulse config example --write .env.example")
        return
    text = read_text(path, path.name)
    there, expected = set(_NAME.findall(text)), set(_NAME.findall(example_text()))
    for name in sorted(expected - there):
        yield Fault("", path.name, f"{name} is missing: genpulse config example --write .env.example")
    for name in sorted(there - expected):
        yield Fault("", path.name, f"{name} is not a setting.")
    yield from _secret_lines(path.name, text)


def _of_committed(project: Project) -> Iterator[Fault]:
    """config.yaml has the known sections, known keys and no secret."""
    for row in ENVIRONMENTS:
        default, own = committed_layers(project.committed, row.dynaconf, project.shown)
        for layer in (own, default) if row is ENVIRONMENTS[0] else (own,):
            yield from unknown_keys(layer)
            yield from committed_secrets([layer])
    yield from _secret_lines(project.shown, read_text(project.committed, project.shown))


def _secret_lines(label: str, text: str) -> Iterator[Fault]:
    for number, line in enumerate(text.splitlines(), 1):
        if LOOKS_SECRET.search(line) and "user:password@" not in line:
            yield Fault("", f"{label} line {number}", "this looks like a secret, and the file is committed.")
