"""Workflows in API format, and which of their values a caller may set."""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model

from genpulse.provider import ImageRef, Input, InvalidInput
from genpulse.providers.comfyui.nodes import FILE, Nodes, Widget, kept

Graph: TypeAlias = dict[str, Any]
"""Nodes by id: `{"class_type": …, "inputs": {…}, "_meta": {"title": …}}`."""

_TITLE = "INPUT_"
_LIKELY = ("value", "text", "string", "image", "video", "audio", "seed", "noise_seed", "int", "float")
_TYPES: Mapping[str, Any] = {
    "integer": int,
    "number": float,
    "string": str,
    "boolean": bool,
    "image": ImageRef,
}


class AnyWorkflow(Input):
    """A workflow of the caller's own. `inputs` are set at the nodes that are titled `INPUT_<name>`."""

    workflow: dict[str, JsonValue] = Field(title="Workflow in API format")
    inputs: dict[str, JsonValue] = Field(default_factory=dict, title="Values by name")


class _DeclaredInput(BaseModel):
    """An input as the YAML declares it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str
    field: str | None = None
    type: Literal["integer", "number", "string", "boolean", "image"] | None = None
    title: str = ""
    default: JsonValue = None
    min: float | None = None
    max: float | None = None
    choices: list[str] | None = None


class _Sheet(BaseModel):
    """The YAML beside a workflow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    description: str = ""
    kind: str | list[str] = "any"
    inputs: dict[str, _DeclaredInput] = Field(default_factory=dict)
    outputs: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Socket:
    """A value of a node that a caller may set. `kind` is a type of JSON, or `image`."""

    name: str
    node: str
    field: str
    kind: str
    default: JsonValue
    title: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that is registered. `outputs` are the nodes whose files count, all where none is named."""

    name: str
    graph: Graph
    sockets: tuple[Socket, ...]
    kinds: tuple[str, ...] = ("any",)
    title: str = ""
    description: str = ""
    outputs: tuple[str, ...] = ()

    @property
    def input(self) -> type[Input]:
        """The model's input: one field a socket, with its type, default and range."""
        fields: dict[str, Any] = {socket.name: _field(socket) for socket in self.sockets}
        return create_model(f"{self.name.title()}Input", __base__=Input, **fields)


def _field(socket: Socket) -> tuple[Any, Any]:
    type_: Any = Literal[socket.choices] if socket.choices else _TYPES[socket.kind]
    numeric = socket.kind in {"integer", "number"}
    title = socket.title or socket.name.replace("_", " ").capitalize()
    ends: dict[str, Any] = {"ge": socket.minimum, "le": socket.maximum} if numeric else {}
    default: Any = ... if socket.default is None else socket.default
    given = {name: end for name, end in ends.items() if end is not None}
    return type_, Field(default, title=title, description=socket.description or None, **given)


def registered(folder: Path) -> tuple[Workflow, ...]:
    """The workflows of a folder, by name. Raises `ValueError` for a file that cannot be read."""
    if not folder.is_dir():
        return ()
    nodes = kept(folder)
    return tuple(_read(path, nodes) for path in sorted(folder.glob("*.json")) if path.name != FILE)


def classes(folder: Path) -> frozenset[str]:
    """The classes of nodes of which a caller may set a value. Raises `ValueError`."""
    return frozenset(
        str(workflow.graph[socket.node]["class_type"])
        for workflow in registered(folder)
        for socket in workflow.sockets
    )


def _read(path: Path, nodes: Nodes) -> Workflow:
    beside = path.with_suffix(".yaml")
    try:
        graph = checked(json.loads(path.read_text(encoding="utf-8")))
        text = yaml.safe_load(beside.read_text(encoding="utf-8")) if beside.exists() else {}
        sheet = _Sheet.model_validate(text or {})
        sockets = {socket.name: socket for socket in titled(graph, nodes)}
        sockets |= {name: _declared(graph, nodes, name, one) for name, one in sheet.inputs.items()}
        outputs = tuple(node_of(graph, word) for word in sheet.outputs)
    except (ValueError, ValidationError, yaml.YAMLError, InvalidInput) as error:
        raise ValueError(f"the workflow {path.name} cannot be used: {error}") from error
    kinds = (sheet.kind,) if isinstance(sheet.kind, str) else tuple(sheet.kind)
    name = path.stem.lower().replace(" ", "-")
    return Workflow(name, graph, tuple(sockets.values()), kinds, sheet.title or name, sheet.description, outputs)


def checked(graph: object) -> Graph:
    """Raises `InvalidInput` for what is no workflow in API format."""
    nodes = graph if isinstance(graph, dict) else {}
    if not nodes or not all(_is_node(node) for node in nodes.values()):
        raise InvalidInput(
            "This is no workflow in API format: each node needs a class_type, and inputs that are an object."
            " ComfyUI writes it by Workflow > Export (API)."
        )
    return dict(nodes)


def _is_node(node: object) -> bool:
    if not isinstance(node, dict):
        return False
    return isinstance(node.get("class_type"), str) and isinstance(node.get("inputs", {}), dict)


def _title(node: Mapping[str, Any]) -> str:
    match node.get("_meta"):
        case {"title": str(title)}:
            return title
        case _:
            return ""


def titled(graph: Graph, nodes: Nodes | None = None) -> tuple[Socket, ...]:
    """A socket for each node that is titled `INPUT_<name>`; `nodes` say its type, range and choices."""
    known = nodes or Nodes({})
    titles = {node_id: _title(node) for node_id, node in graph.items()}
    named = {node_id: title[len(_TITLE) :] for node_id, title in titles.items() if title.startswith(_TITLE)}
    return tuple(_socket(graph, known, name, node_id, None) for node_id, name in named.items())


def node_of(graph: Graph, word: str) -> str:
    """The id of a node that is named by its id or its title. Raises `InvalidInput`."""
    titles = [node_id for node_id, node in graph.items() if word and _title(node) == word]
    if word in graph or len(titles) == 1:
        return word if word in graph else titles[0]
    raise InvalidInput(f"The workflow has {len(titles)} nodes named {word!r}, and one is needed.")


def _socket(graph: Graph, nodes: Nodes, name: str, node_id: str, field: str | None) -> Socket:
    node = graph[node_id]
    values = {key: value for key, value in node.get("inputs", {}).items() if not isinstance(value, list)}
    likely = field or next((key for key in (*_LIKELY, *values) if key in values), "")
    if likely not in values:
        raise InvalidInput(f"The node {node_id} has no value {field or ''!r} to set; it has {', '.join(values)}.")
    widget = nodes.widget(str(node["class_type"]), likely)
    if _is_image(node, likely) or (widget and widget.kind == "image"):
        return Socket(name, node_id, likely, "image", None)
    return _known(Socket(name, node_id, likely, _kind_of(values[likely]), values[likely]), widget)


def _known(socket: Socket, widget: Widget | None) -> Socket:
    """Complete a socket by the server's description; the workflow's own value stays the default."""
    if widget is None:
        return socket
    # A default outside of the choices is a file of another machine: it stays possible.
    more = (str(socket.default),) if widget.choices and socket.default not in widget.choices else ()
    return replace(
        socket,
        kind=widget.kind,
        minimum=widget.minimum,
        maximum=widget.maximum,
        choices=(*widget.choices, *more),
        description=widget.description,
    )


def _is_image(node: Mapping[str, Any], field: str) -> bool:
    return str(node["class_type"]).startswith("LoadImage") and field == "image"


def _kind_of(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _declared(graph: Graph, nodes: Nodes, name: str, one: _DeclaredInput) -> Socket:
    socket = _socket(graph, nodes, name, node_of(graph, one.node), one.field)
    return replace(
        socket,
        kind=one.type or socket.kind,
        default=socket.default if one.default is None else one.default,
        title=one.title,
        minimum=socket.minimum if one.min is None else one.min,
        maximum=socket.maximum if one.max is None else one.max,
        choices=socket.choices if one.choices is None else tuple(one.choices),
    )


def filled(graph: Graph, sockets: Sequence[Socket], values: Mapping[str, JsonValue]) -> Graph:
    """A copy of the graph with the values set. Raises `InvalidInput` for a name that it does not have."""
    known = {socket.name: socket for socket in sockets}
    if unknown := sorted(set(values) - set(known)):
        raise InvalidInput(f"The workflow has no input {', '.join(unknown)}; it has {', '.join(known) or 'none'}.")
    changed = copy.deepcopy(graph)
    for name, value in values.items():
        changed[known[name].node]["inputs"][known[name].field] = value
    return changed
