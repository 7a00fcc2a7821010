"""The committed layers: a YAML file with a section for what holds everywhere and one for each environment."""

import io
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.sources.layers import Layer, Tree
from genpulse.configuration.sources.project import read_text
from genpulse.environment.table import BY_DYNACONF

DEFAULT = "default"
SECTIONS = (DEFAULT, *BY_DYNACONF)
Lines: TypeAlias = Mapping[tuple[str, ...], int]
"""Of each key, by the keys on the way to it."""


def committed_layers(path: Path, section: str, label: str) -> tuple[Layer, Layer]:
    """`[default]` and the environment's section. Raises as `every_layer` does."""
    layers = every_layer(path, label)
    return replace(layers[DEFAULT], name="default"), replace(layers[section], name="environment")


def every_layer(path: Path, label: str) -> dict[str, Layer]:
    """A layer for each section. `label` is the path as messages say it.

    Raises `ConfigurationError` with line and column when the file is broken.
    """
    document, lines = _parsed(path, label)
    unknown = [name for name in document if name not in SECTIONS]
    if unknown:
        detail = f"no section; there are {', '.join(SECTIONS)}"
        raise ConfigurationError(
            "", [Fault(str(name), f"{label} line {lines[(str(name),)]}", detail) for name in unknown]
        )
    return {section: _layer(section, document, lines, section, label) for section in SECTIONS}


def _layer(name: str, document: Tree, lines: Lines, section: str, label: str) -> Layer:
    values = document.get(section)
    if values is not None and not isinstance(values, dict):
        place = f"{label} line {lines[(section,)]}"
        raise ConfigurationError("", [Fault(section, place, "expected keys below it, found a single value")])
    places = {
        ".".join(path[1:]).lower(): f"{label} [{section}] line {line}"
        for path, line in lines.items()
        if path[0] == section and len(path) > 1
    }
    return Layer(name, _lowered(values or {}), places)


def _lowered(values: Tree) -> Tree:
    return {
        str(key).lower(): _lowered(value) if isinstance(value, dict) else deepcopy(value)
        for key, value in values.items()
    }


def _parsed(path: Path, label: str) -> tuple[Tree, Lines]:
    """The document, and the line of each key."""
    from dynaconf.vendor.ruamel.yaml.error import MarkedYAMLError, MarkedYAMLFutureWarning, YAMLError

    try:
        document, lines = _document(read_text(path, label))
    except (MarkedYAMLError, MarkedYAMLFutureWarning) as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        detail = ", ".join(" ".join(str(part).split()) for part in (error.context, error.problem) if part)
        raise ConfigurationError("", [Fault(label, place, detail)]) from error
    except YAMLError as error:
        raise ConfigurationError("", [Fault(label, "", " ".join(str(error).split()))]) from error
    if document is not None and not isinstance(document, dict):
        raise ConfigurationError("", [Fault(label, "line 1", f"expected the sections {', '.join(SECTIONS)}")])
    return document or {}, lines


@lru_cache(maxsize=4)
def _document(text: str) -> tuple[Any, Lines]:
    """What stands in a text, which nobody changes, and the line of each key.

    A command reads its settings several times, and a text of a hundred lines takes milliseconds.
    """
    from dynaconf.vendor.ruamel.yaml import YAML

    constructor, _ = YAML(typ="safe", pure=True).get_constructor_parser(io.StringIO(text))
    root = constructor.composer.get_single_node()
    document = None if root is None else constructor.construct_document(root)
    return document, dict(_lines(root))


def _lines(node: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if getattr(node, "id", "") != "mapping":
        return
    for key, value in node.value:
        path = (*before, str(key.value))
        yield path, key.start_mark.line + 1
        yield from _lines(value, path)
