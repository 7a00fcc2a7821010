"""Descriptions of the values that ComfyUI's nodes take: their types, ranges and choices.

Captured from `/object_info` of a real ComfyUI 0.3.64 (certain): `"width": ["INT", {"default": 512, "min": 1}]`,
and choices as a list in place of the type. Newer nodes say `["COMBO", {"options": […]}]` (likely; source: the
`comfy_api` of ComfyUI).

It is kept in a file beside the workflows, so that the catalogue says the same on every machine, and without a
server.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from genpulse.domain.json.value import JsonValue

FILE = "object_info.json"
_KINDS: Mapping[str, str] = {"INT": "integer", "FLOAT": "number", "STRING": "string", "BOOLEAN": "boolean"}
_TOLD = TypeAdapter(dict[str, dict[str, Any]])


@dataclass(frozen=True, slots=True)
class Widget:
    """A value of a node. `kind` is a type of JSON, or `image`. The default is the workflow's own value."""

    kind: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    description: str = ""


class Nodes:
    """The nodes of a server, as `/object_info` tells them."""

    def __init__(self, object_info: Mapping[str, Any]) -> None:
        self._told = object_info

    def widget(self, class_type: str, field: str) -> Widget | None:
        """The widget of an input; None where none is known, or the input takes what another node makes."""
        inputs = self._inputs(class_type)
        return _widget(inputs[field]) if field in inputs else None

    def _inputs(self, class_type: str) -> Mapping[str, Any]:
        groups = _mapping(_mapping(self._told.get(class_type)).get("input"))
        return {**_mapping(groups.get("optional")), **_mapping(groups.get("required"))}

    def only(self, class_types: Collection[str]) -> dict[str, JsonValue]:
        """The inputs of these classes, for the file."""
        known = sorted(set(class_types) & set(self._told))
        return {name: {"input": _mapping(self._told[name]).get("input")} for name in known}


def _widget(socket: object) -> Widget | None:
    if not isinstance(socket, list) or not socket:
        return None
    options = _mapping(socket[1]) if len(socket) > 1 else {}
    words = str(options.get("tooltip") or "")
    if options.get("image_upload"):
        return Widget("image", description=words)
    choices = (
        socket[0] if isinstance(socket[0], list) else options.get("options") if socket[0] == "COMBO" else None
    )
    if isinstance(choices, list):
        # Of text alone: numbers as choices would be refused when they come as text, and the other way round.
        texts = bool(choices) and all(isinstance(one, str) for one in choices)
        return Widget("string", choices=tuple(choices), description=words) if texts else None
    if socket[0] not in _KINDS:
        return None
    return Widget(_KINDS[socket[0]], options.get("min"), options.get("max"), description=words)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def kept(folder: Path) -> Nodes:
    """Read what was learnt of the servers. Raises `ValueError` for a file that cannot be read."""
    path = folder / FILE
    if not path.exists():
        return Nodes({})
    try:
        return Nodes(_TOLD.validate_json(path.read_bytes()))
    except ValidationError as error:
        raise ValueError(
            f"{path} is not what a ComfyUI answers at /object_info: {error.errors()[0]['msg']}"
        ) from error


def keep(folder: Path, object_info: Mapping[str, JsonValue]) -> Path:
    """Write what was learnt, in an order that makes changes easy to read."""
    path = folder / FILE
    path.write_text(json.dumps(object_info, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return path
