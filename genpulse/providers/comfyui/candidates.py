"""The values of a workflow that may become inputs of a model, and the names that suit them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from genpulse.domain.json.value import JsonValue
from genpulse.providers.comfyui.names import is_input_name
from genpulse.providers.comfyui.workflow import SEEDS, Graph, is_image, kind_of, title_of

_TEXTS = frozenset({"text", "prompt", "string", "text_g", "text_l", "t5xxl", "clip_l"})
_ROLES = {"positive": "prompt", "negative": "negative_prompt"}
_KINDS = ("string", "image", "seed")
_SIZES = frozenset({"width", "height", "length", "duration"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value of a node. `kind` is a type of JSON, `image` or `seed`; `is_proposed`: most callers will set it."""

    name: str
    node: str
    field: str
    class_type: str
    kind: str
    value: JsonValue
    is_proposed: bool

    @property
    def place(self) -> str:
        """The place, as a person names it: `6.text`."""
        return f"{self.node}.{self.field}"


def candidates(graph: Graph) -> tuple[Candidate, ...]:
    """All values of the nodes, each under a name of its own. Values that other nodes make are none."""
    roles = _roles(graph)
    names_in_use: set[str] = set()
    distinct = []
    for one in sorted(_values(graph, roles), key=_rank):
        name = one.name if one.name not in names_in_use else _distinct(one, names_in_use)
        names_in_use.add(name)
        distinct.append(replace(one, name=name))
    return tuple(distinct)


def _rank(one: Candidate) -> int:
    """Words before pictures before numbers, and at last what is not proposed."""
    return (_KINDS.index(one.kind) if one.kind in _KINDS else len(_KINDS)) if one.is_proposed else len(_KINDS) + 1


def _distinct(one: Candidate, names_in_use: set[str]) -> str:
    name = f"{one.name}_{_word(one.node)}"
    while name in names_in_use:
        name += "_"
    return name


def _values(graph: Graph, roles: Mapping[str, str]) -> Iterator[Candidate]:
    for node_id, node in graph.items():
        for field, value in node.get("inputs", {}).items():
            if isinstance(value, str | int | float):
                yield _candidate(graph, node_id, field, value, roles)


def _candidate(
    graph: Graph, node_id: str, field: str, value: str | int | float, roles: Mapping[str, str]
) -> Candidate:
    node = graph[node_id]
    class_type = str(node["class_type"])
    kind = "image" if is_image(node, field) else kind_of(field, value)
    if kind == "integer" and field in SEEDS:
        return Candidate("seed", node_id, field, class_type, "seed", value, is_proposed=True)
    is_text = kind == "string" and field in _TEXTS
    is_size = field in _SIZES and class_type.startswith("Empty")
    name = roles.get(node_id, "prompt") if is_text else "image" if kind == "image" else _word(field)
    if field == "value" and title_of(node) not in {"", class_type}:
        name = _word(title_of(node))
    name = name if is_input_name(name) else f"{_word(class_type)}_{name}"
    is_proposed = is_text or is_size or kind == "image" or field == "steps" or class_type.startswith("Primitive")
    return Candidate(name, node_id, field, class_type, kind, value, is_proposed)


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.removeprefix("INPUT_").lower()).strip("_") or "value"


def _roles(graph: Graph) -> dict[str, str]:
    """What the texts of nodes are for, by the nodes that take what is made of them."""
    roles: dict[str, str] = {}
    for socket, role in reversed(_ROLES.items()):
        for node in graph.values():
            for node_id in _texts_above(graph, node.get("inputs", {}).get(socket)):
                roles[node_id] = role
    return roles


def _texts_above(graph: Graph, link: object) -> Iterator[str]:
    """The nearest nodes with a text, up the links. A circle ends where it began."""
    nodes, seen = [source_of(link)], set[str]()
    while nodes:
        node_id = nodes.pop()
        if node_id is None or node_id not in graph or node_id in seen:
            continue
        seen.add(node_id)
        inputs = graph[node_id].get("inputs", {})
        if any(isinstance(inputs.get(field), str) for field in _TEXTS):
            yield node_id
        else:
            nodes += [source_of(value) for value in inputs.values()]


def source_of(value: object) -> str | None:
    """The node that makes a value, where another node does: `["4", 0]`."""
    match value:
        case [str(node_id), int()]:
            return node_id
        case _:
            return None
