"""What must hold of the files, beyond their being readable: nothing secret is committed, nothing is forgotten."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from genpulse.configuration.errors import Fault
from genpulse.configuration.example import example_text
from genpulse.configuration.layers import Layer, leaves
from genpulse.configuration.masking import is_secret
from genpulse.configuration.names import unknown_keys, unknown_variables
from genpulse.configuration.project import Project, read_text
from genpulse.configuration.variables import PREFIX, Variable, dotenv_variables
from genpulse.configuration.yaml_file import committed_layers
from genpulse.environment.resolve import SWITCHES
from genpulse.environment.table import ENVIRONMENTS

_LOOKS_SECRET = re.compile(
    r"(?:sk|pk|rk|gp|ghp|xox[abp])[_-]\w{12,}|AKIA[A-Z0-9]{12,}|://[^/\s:@]+:[^/\s@]+@|eyJ\w{20,}"
)
_NAME = re.compile(r"^\s*#?\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_<>]*)=", re.MULTILINE)


def lint(project: Project) -> tuple[Fault, ...]:
    """Everything that is wrong with the files of a project. Raises `ConfigurationError` for a broken one."""
    return (*_of_secrets(project), *_of_example(project), *_of_committed(project))


def _of_secrets(project: Project) -> Iterator[Fault]:
    """`.env` is untracked, ignored, and holds nothing but GenPulse's variables, each once."""
    if _git(project, "rev-parse", "--is-inside-work-tree") == 0:
        if _git(project, "ls-files", "--error-unmatch", "--", ".env") == 0:
            yield Fault("", ".env", "it is committed: git rm --cached .env, and change every secret in it.")
        if _git(project, "check-ignore", "--quiet", "--no-index", "--", ".env") != 0:
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
    text = read_text(path)
    there, wanted = set(_NAME.findall(text)), set(_NAME.findall(example_text()))
    for name in sorted(wanted - there):
        yield Fault("", path.name, f"{name} is missing: genpulse config example --write .env.example")
    for name in sorted(there - wanted):
        yield Fault("", path.name, f"{name} is not a setting.")
    yield from _secret_lines(path, text)


def _of_committed(project: Project) -> Iterator[Fault]:
    """config.yaml has the known sections, known keys and no secret."""
    shown = project.committed.name
    for row in ENVIRONMENTS:
        default, own = committed_layers(project.committed, row.dynaconf, shown)
        for layer in (own, default) if row is ENVIRONMENTS[0] else (own,):
            yield from unknown_keys(layer)
            yield from _secret_keys(layer)
    yield from _secret_lines(project.committed, read_text(project.committed))


def _secret_keys(layer: Layer) -> Iterator[Fault]:
    for key in leaves(layer.values):
        if is_secret(key) and layer.get(key):
            yield Fault("", layer.place(key), f"{key} is a secret and does not belong into a committed file.")


def _secret_lines(path: Path, text: str) -> Iterator[Fault]:
    for number, line in enumerate(text.splitlines(), 1):
        if _LOOKS_SECRET.search(line) and "user:password@" not in line:
            yield Fault("", f"{path.name} line {number}", "this looks like a secret, and the file is committed.")


def _git(project: Project, *arguments: str) -> int:
    """The exit code; 128 where there is no git or no repository."""
    try:
        return subprocess.run(["git", *arguments], cwd=project.root, capture_output=True, check=False).returncode
    except OSError:
        return 128
