"""Workflows in API format, and which of their values a caller may set."""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pydantic import Field, JsonValue, create_model

from genpulse.provider import ImageRef, Input, InvalidInput
from genpulse.providers.comfyui.nodes import Nodes, Widget
from genpulse.providers.comfyui.sheet import DeclaredInput

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
    "seed": int | None,
}
SEEDS = frozenset({"seed", "noise_seed", "rand_seed"})
_FRACTIONS = re.compile(
    r"cfg|denoise|guidance|shift|scale_by|megapixels|.*(strength|weight|percent|threshold)(_\w+)?"
)
"""Fields that take fractions, although a workflow may say 7: the browser that exports it writes 7.0 so."""


class AnyWorkflow(Input):
    """A workflow of the caller's own. `inputs` are set at the nodes that are titled `INPUT_<name>`."""

    workflow: dict[str, JsonValue] = Field(title="Workflow in API format")
    inputs: dict[str, JsonValue] = Field(default_factory=dict, title="Values by name")


@dataclass(frozen=True, slots=True)
class Socket:
    """A value of a node that a caller may set. `kind` is a type of JSON, `image`, or `seed`: drawn unless given.

    `is_certain`: the kind is what ComfyUI says of the node, or the sheet does, and no guess.
    """

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
    is_certain: bool = False

    def value_of(self, value: JsonValue) -> JsonValue:
        """The value as the node takes it: a whole number is sent as one. Raises `InvalidInput` for a fraction."""
        if self.kind not in {"integer", "seed"} or not isinstance(value, float):
            return value
        if value.is_integer():
            return int(value)
        if self.is_certain:
            raise InvalidInput(f"The input {self.name} takes a whole number, and {value} is none.")
        return value


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
    default = socket.default
    if socket.kind == "integer" and isinstance(default, float) and default.is_integer():
        default = int(default)
    type_: Any = Literal[socket.choices] if socket.choices else _TYPES[socket.kind]
    numeric = socket.kind in {"integer", "number", "seed"}
    title = socket.title or socket.name.replace("_", " ").capitalize()
    ends: dict[str, Any] = {"ge": socket.minimum, "le": socket.maximum} if numeric else {}
    is_needed = default is None and socket.kind != "seed"
    given = {name: end for name, end in ends.items() if end is not None}
    return type_, Field(
        ... if is_needed else default, title=title, description=socket.description or None, **given
    )


def checked(graph: object) -> Graph:
    """Raises `InvalidInput` for what is no workflow in API format."""
    nodes = graph if isinstance(graph, dict) else {}
    if isinstance(nodes.get("nodes"), list) or isinstance(nodes.get("links"), list):
        raise InvalidInput(
            "This is a workflow as ComfyUI's editor saves it, with nodes and links. Open it there, and export it"
            " in API format: Workflow > Export (API)."
        )
    if isinstance(nodes.get("prompt"), dict) and "class_type" not in nodes["prompt"]:
        raise InvalidInput(
            "This is what is sent to ComfyUI's /prompt: the workflow is what stands in it as prompt."
        )
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


def title_of(node: Mapping[str, Any]) -> str:
    """The title that somebody gave the node; empty without one."""
    match node.get("_meta"):
        case {"title": str(title)}:
            return title
        case _:
            return ""


def titled(graph: Graph, nodes: Nodes | None = None) -> tuple[Socket, ...]:
    """A socket for each node that is titled `INPUT_<name>`; `nodes` say its type, range and choices."""
    node_types = nodes or Nodes({})
    titles = {node_id: title_of(node) for node_id, node in graph.items()}
    named = {node_id: title[len(_TITLE) :] for node_id, title in titles.items() if title.startswith(_TITLE)}
    return tuple(_socket(graph, node_types, name, node_id, None) for node_id, name in named.items())


def node_of(graph: Graph, word: str) -> str:
    """The id of a node that is named by its id or its title. Raises `InvalidInput`."""
    titles = [node_id for node_id, node in graph.items() if word and title_of(node) == word]
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
    if is_image(node, likely) or (widget and widget.kind == "image"):
        return Socket(name, node_id, likely, "image", None)
    return _drawn(_known(Socket(name, node_id, likely, kind_of(likely, values[likely]), values[likely]), widget))


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
        is_certain=True,
    )


def _drawn(socket: Socket) -> Socket:
    """A seed is drawn anew for each task: the same one with the same words makes the same picture."""
    if socket.kind != "integer" or SEEDS.isdisjoint({socket.name, socket.field}):
        return socket
    words = f"{socket.description} Random unless given.".strip()
    return replace(socket, kind="seed", default=None, description=words, is_certain=True)


def is_image(node: Mapping[str, Any], field: str) -> bool:
    """Whether the field names a picture that has to be brought to the server first."""
    return str(node["class_type"]).startswith("LoadImage") and field == "image"


def kind_of(field: str, value: object) -> str:
    """The type of JSON that a field takes, as far as its value and name tell."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "number" if _FRACTIONS.fullmatch(field) else "integer"
        case float():
            return "number"
        case _:
            return "string"


def declared(graph: Graph, nodes: Nodes, name: str, one: DeclaredInput) -> Socket:
    """The socket that a sheet declares. Raises `InvalidInput` where the workflow has no such value."""
    socket = _socket(graph, nodes, name, node_of(graph, one.node), one.field)
    if socket.kind == "seed" and (one.default is not None or one.type == "integer"):
        own = graph[socket.node]["inputs"][socket.field]
        socket = replace(socket, kind="integer", default=own, description="")
    default = None if one.type == "seed" else socket.default
    return replace(
        socket,
        kind=one.type or socket.kind,
        default=default if one.default is None else one.default,
        title=one.title,
        minimum=socket.minimum if one.min is None else one.min,
        maximum=socket.maximum if one.max is None else one.max,
        choices=socket.choices if one.choices is None else tuple(one.choices),
        is_certain=socket.is_certain or one.type is not None,
    )


def filled(graph: Graph, sockets: Sequence[Socket], values: Mapping[str, JsonValue]) -> Graph:
    """A copy of the graph with the values set. Raises `InvalidInput` for a name that it does not have."""
    by_name = {socket.name: socket for socket in sockets}
    if unknown := sorted(set(values) - set(by_name)):
        raise InvalidInput(
            f"The workflow has no input {', '.join(unknown)}; it has {', '.join(by_name) or 'none'}."
        )
    changed = copy.deepcopy(graph)
    for name, value in values.items():
        changed[by_name[name].node]["inputs"][by_name[name].field] = by_name[name].value_of(value)
    return changed
