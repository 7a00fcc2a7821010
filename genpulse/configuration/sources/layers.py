"""The four layers: places that set keys, and how they lie over each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Tree: TypeAlias = dict[str, Any]
"""Values by key, in lower case, with a dictionary for each section."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the four. `places` says for each dotted key where it was set, such as `.env line 3`."""

    name: str
    values: Tree
    places: Mapping[str, str] = field(default_factory=dict)

    def get(self, key: str) -> object:
        """The value of a dotted key; None when this layer does not set it."""
        return value_of(self.values, key)

    def place(self, key: str) -> str:
        """The place where a dotted key, or the nearest section around it, was set; empty when it was not."""
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return ""


def merged(layers: Sequence[Layer]) -> Tree:
    """All layers, the later over the earlier: dictionaries merge key by key, everything else replaces."""
    result: Tree = {}
    for layer in layers:
        _merge(result, layer.values)
    return result


def _merge(into: Tree, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = into.get(key)
            if not isinstance(inner, dict):
                inner = into[key] = {}
            _merge(inner, value)
        else:
            into[key] = value


def value_of(values: Mapping[str, Any], key: str) -> object:
    """The value of a dotted key, or None."""
    value: object = values
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def place_of(layers: Sequence[Layer], key: str) -> str:
    """The place where the value in force was set; empty when it is a default of the code."""
    for layer in reversed(layers):
        if layer.get(key) is not None and (place := layer.place(key)):
            return place
    return ""


def leaves(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The dotted keys of everything that is not a section; of a section, when it is empty."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"
