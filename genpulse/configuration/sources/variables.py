"""The two layers of variables: `.env` and the process environment.

What they say stays the text that was written; the type of the setting alone decides what it means. Nothing of
`.env` reaches the process environment.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.sources.layers import Layer, Tree
from genpulse.configuration.sources.project import read_text

if TYPE_CHECKING:
    from dotenv.parser import Original

PREFIX = "GENPULSE_"
PROCESS = "the process environment"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and where it was set, such as `.env line 3`."""

    name: str
    value: str
    place: str


def process_variables(process: Mapping[str, str]) -> tuple[Variable, ...]:
    """The variables of the process environment, by name."""
    return tuple(Variable(name, process[name], PROCESS) for name in sorted(process))


def dotenv_variables(path: Path) -> tuple[Variable, ...]:
    """The variables of a `.env`, in its order; none when there is no such file.

    Raises `ConfigurationError` when it cannot be read, with each line that is broken.
    """
    from dotenv.parser import parse_stream

    if not path.exists() and not path.is_symlink():
        return ()
    bindings = list(parse_stream(io.StringIO(read_text(path, path.name).removeprefix("\ufeff"))))
    broken = [binding for binding in bindings if binding.error or (binding.key and binding.value is None)]
    if broken:
        detail = "expected NAME=value; put a value with quotes or line ends into quotes"
        raise ConfigurationError(
            "", [Fault(path.name, f"line {_line(binding.original)}", detail) for binding in broken]
        )
    return tuple(
        Variable(binding.key, binding.value, f"{path.name} line {_line(binding.original)}")
        for binding in bindings
        if binding.key is not None and binding.value is not None
    )


def _line(original: "Original") -> int:
    """The parser counts from the blank lines before a statement."""
    blank = len(original.string) - len(original.string.lstrip())
    return original.line + original.string[:blank].count("\n")


def last_of_each(variables: Iterable[Variable]) -> dict[str, Variable]:
    """The variables by name; of two with one name the later."""
    return {variable.name: variable for variable in variables}


def variables_layer(name: str, variables: Sequence[Variable]) -> Layer:
    """The layer that the variables of GenPulse set. A section comes before the keys in it."""
    values: Tree = {}
    places: dict[str, str] = {}
    for variable in sorted(last_of_each(variables).values(), key=lambda each: each.name):
        if variable.name.startswith(PREFIX):
            path = variable.name.removeprefix(PREFIX).lower().split("__")
            _put(values, path, variable.value)
            inside = variable.place == PROCESS
            places[".".join(path)] = variable.name if inside else f"{variable.place}, {variable.name}"
    return Layer(name, values, places)


def variable_name(key: str) -> str:
    """The variable that sets a dotted key."""
    return PREFIX + key.upper().replace(".", "__")


def _put(values: Tree, path: Sequence[str], value: str) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        if not isinstance(inner, dict):
            inner = values[part] = {}
        values = inner
    values[path[-1]] = value
