"""Registering a workflow: it is looked at, and written into the folder with a sheet beside it."""

import contextlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from genpulse.domain.errors import GenPulseError
from genpulse.domain.kind import ANY, is_kind
from genpulse.domain.text.storable import showable_line
from genpulse.providers.comfyui.candidates import Candidate, candidates, source_of
from genpulse.providers.comfyui.folder import FREE, graph_of, made, read_folder
from genpulse.providers.comfyui.names import is_input_name, model_name
from genpulse.providers.comfyui.nodes import FILE, Nodes
from genpulse.providers.comfyui.sheet import DeclaredInput, Sheet
from genpulse.providers.comfyui.workflow import Graph, Socket, title_of, titled

LARGEST_BYTES = 16 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_INPUT = re.compile(r"[a-z][a-z0-9_]*")
_SHOWS = re.compile(r"save|preview|combine|output|upload|show|display|websocket", re.IGNORECASE)
_MADE = (("video", re.compile(r"video|vhs_|webm|animated|gif", re.I)), ("image", re.compile(r"image", re.I)))


class WorkflowRefused(GenPulseError):
    """A workflow cannot be registered; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A workflow that was read. `candidates` may become inputs; `titled` are inputs by the titles of nodes."""

    source: Path
    content: bytes
    graph: Graph
    candidates: tuple[Candidate, ...]
    titled: tuple[Socket, ...]

    @property
    def name(self) -> str:
        """The name that its file gives it."""
        return model_name(self.source.stem)

    @property
    def proposed(self) -> tuple[str, ...]:
        """What callers mostly want to set, in the words of `sheet_for`."""
        return tuple(f"{one.name}={one.place}" for one in self.candidates if one.is_proposed)

    @property
    def last(self) -> tuple[str, ...]:
        """The classes of the nodes from which no other node takes anything."""
        used = {source_of(value) for node in self.graph.values() for value in node.get("inputs", {}).values()}
        return tuple(str(node["class_type"]) for node_id, node in self.graph.items() if node_id not in used)


def read_draft(source: Path) -> Draft:
    """Read a workflow in API format. Raises `WorkflowRefused`."""
    try:
        content = source.read_bytes() if source.stat().st_size <= LARGEST_BYTES else None
        if content is None:
            raise WorkflowRefused(f"{source} is larger than {LARGEST_BYTES >> 20} MiB, and no workflow is.")
        graph = graph_of(content)
        draft = Draft(source, content, graph, _untitled(graph), titled(graph))
    except OSError as error:
        raise WorkflowRefused(f"{source} cannot be read: {error.strerror}.") from error
    except (ValueError, GenPulseError) as error:
        if isinstance(error, WorkflowRefused):
            raise
        raise WorkflowRefused(f"{source} cannot be used: {showable_line(str(error))}") from error
    _check_links(draft)
    return draft


def _untitled(graph: Graph) -> tuple[Candidate, ...]:
    places = {(socket.node, socket.field) for socket in titled(graph)}
    return tuple(one for one in candidates(graph) if (one.node, one.field) not in places)


def _check_links(draft: Draft) -> None:
    """Every link leads to a node that is there, and none back to its own. Raises `WorkflowRefused`."""
    above = {
        node_id: {one for value in node.get("inputs", {}).values() if (one := source_of(value)) is not None}
        for node_id, node in draft.graph.items()
    }
    for node_id, sources in above.items():
        if gone := sorted(sources - set(above)):
            raise WorkflowRefused(
                f"{draft.source}: the node {node_id} takes something from the node {gone[0]}, which is not there."
                " Export the whole workflow again."
            )
    remaining = dict(above)
    while ready := [node_id for node_id, sources in remaining.items() if not sources & set(remaining)]:
        for node_id in ready:
            del remaining[node_id]
    if remaining:
        raise WorkflowRefused(
            f"{draft.source}: the nodes {', '.join(remaining)} wait for each other in a circle,"
            " and would never run."
        )


def sheet_for(
    draft: Draft,
    inputs: Sequence[str],
    outputs: Sequence[str] = (),
    *,
    kinds: Sequence[str] = (),
    title: str = "",
) -> Sheet:
    """The sheet of a workflow. `inputs` are `name=node.field` each, or `name=node`. Raises `WorkflowRefused`."""
    declared: dict[str, DeclaredInput] = {}
    for word in inputs:
        name, _, place = (part.strip() for part in word.partition("="))
        if not place or not _INPUT.fullmatch(name) or not is_input_name(name):
            raise WorkflowRefused(
                f"{word!r} names no input: it has to be like prompt=6.text, with a name of lower-case letters,"
                " digits and _ that begins with a letter, and that no other part of a model has."
            )
        if name in declared:
            raise WorkflowRefused(f"Two inputs are named {name}: give each a name of its own.")
        declared[name] = _declared(draft, place)
    if unfit := [kind for kind in kinds if not is_kind(kind)]:
        raise WorkflowRefused(f"{unfit[0]!r} is no kind of work: it has to be like text-to-image.")
    if not outputs and not any(map(_SHOWS.search, draft.last)):
        raise WorkflowRefused(
            f"{draft.source}: no node of it saves or shows anything (its last ones are {', '.join(draft.last)}),"
            " and ComfyUI takes no workflow without an output. Add a node such as SaveImage, or say with --output"
            " which node makes the files."
        )
    kinds = kinds or _kinds(draft)
    kind: str | list[str] = kinds[0] if len(kinds) == 1 else list(kinds)
    sheet = Sheet(title=title, kind=kind, inputs=declared, outputs=list(outputs))
    _check_fits(draft, "draft", sheet, Nodes({}))
    return sheet


def _check_fits(draft: Draft, name: str, sheet: Sheet, nodes: Nodes) -> None:
    """The workflow has what its sheet names. Raises `WorkflowRefused`."""
    try:
        made(name, draft.graph, sheet, nodes)
    except ValueError as error:
        raise WorkflowRefused(f"{draft.source} cannot be used: {showable_line(str(error))}") from error


def _declared(draft: Draft, place: str) -> DeclaredInput:
    names = {*draft.graph, *map(title_of, draft.graph.values())}
    if place in names or "." not in place:
        return DeclaredInput(node=place)
    node, _, field = place.rpartition(".")
    return DeclaredInput(node=node, field=field)


def _kinds(draft: Draft) -> list[str]:
    """What it makes of what, by its last nodes and the pictures that it loads; `any` where that is not plain."""
    makes = next((word for word, form in _MADE if any(map(form.search, draft.last))), None)
    if makes is None:
        return [ANY]
    pictures = {one.node for one in draft.candidates if one.kind == "image"}
    pictures |= {socket.node for socket in draft.titled if socket.kind == "image"}
    return [f"{'image' if pictures else 'text'}-to-{makes}"]


def register(draft: Draft, name: str, sheet: Sheet, folder: Path, *, replaces: bool = False) -> tuple[Path, Path]:
    """Write the workflow and its sheet. Returns the paths of both. Raises `WorkflowRefused`."""
    if not _NAME.fullmatch(name) or name in {FREE, Path(FILE).stem}:
        raise WorkflowRefused(
            f"{name!r} cannot be the name of a workflow here: it has to be lower-case letters, digits, '.', '_' or"
            f" '-', begin with a letter or a digit, and be neither {FREE} nor {Path(FILE).stem}. Give another one"
            " with --name."
        )
    workflow, beside = folder / f"{name}.json", folder / f"{name}.yaml"
    _check_fits(draft, name, sheet, read_folder(folder).nodes)
    try:
        _check_free(draft, name, folder, (workflow, beside), replaces=replaces)
        folder.mkdir(parents=True, exist_ok=True)
        _write(beside, _as_yaml(sheet))
        if not _is_same(draft.source, workflow):
            _write(workflow, draft.content)
    except OSError as error:
        raise WorkflowRefused(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return workflow, beside


def _check_free(draft: Draft, name: str, folder: Path, paths: Sequence[Path], *, replaces: bool) -> None:
    others = [path for path in folder.glob("*.json") if model_name(path.stem) == name] if folder.is_dir() else []
    there = {path for path in (*others, *paths) if os.path.lexists(path) and not _is_same(path, draft.source)}
    if clash := sorted(there - set(paths)):
        raise WorkflowRefused(
            f"{clash[0]} is comfyui/{name} already: remove it, or give another name with --name."
        )
    if there and not replaces:
        raise WorkflowRefused(
            f"{min(there)} is there already: give another name with --name, or write over it with --replace."
        )


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _as_yaml(sheet: Sheet) -> bytes:
    document = sheet.model_dump(exclude_defaults=True)
    return b"".join(_entry(key, value) for key, value in document.items()) or b"{}\n"


def _entry(key: str, value: object) -> bytes:
    """A line for each input."""
    flow = None if key == "inputs" else False
    text: str = yaml.safe_dump(
        {key: value}, sort_keys=False, allow_unicode=True, default_flow_style=flow, width=1000
    )
    return text.encode()


def _write(path: Path, content: bytes) -> None:
    """Whole, or not at all: a process that reads the folder meanwhile sees no half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
