"""The folder of registered workflows: `name.json`, with `name.yaml` beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from genpulse.domain.kind import is_kind
from genpulse.provider import InvalidInput, ProviderError
from genpulse.providers.comfyui.names import is_input_name, is_model_name, model_name
from genpulse.providers.comfyui.nodes import FILE, Nodes, kept
from genpulse.providers.comfyui.sheet import Sheet
from genpulse.providers.comfyui.workflow import Graph, Workflow, checked, declared, node_of, titled

FREE = "workflow"
"""The name of the model that takes a caller's own workflow: no file may have it."""
_NUMBERS: Mapping[str, TypeAdapter[float]] = {"integer": TypeAdapter(int), "number": TypeAdapter(float)}


@dataclass(frozen=True, slots=True)
class WorkflowFolder:
    """What lies in a folder. `faults` say by the name of a file why it is not used; the others are."""

    workflows: tuple[Workflow, ...] = ()
    nodes: Nodes = field(default_factory=lambda: Nodes({}))
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of nodes of which a caller may set a value."""
        sockets = [(workflow.graph, socket) for workflow in self.workflows for socket in workflow.sockets]
        return frozenset(str(graph[socket.node]["class_type"]) for graph, socket in sockets)


def read_folder(folder: Path) -> WorkflowFolder:
    """Read all workflows of a folder, by name. Nothing in it raises: what cannot be used is among the faults."""
    faults: dict[str, str] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.name != FILE)
    except FileNotFoundError:
        return WorkflowFolder()
    except OSError as error:
        return WorkflowFolder(faults={folder.name: f"the folder {folder} cannot be read: {error.strerror}"})
    try:
        nodes = kept(folder)
    except (ValueError, OSError) as error:
        nodes, faults[FILE] = Nodes({}), f"{error}. Types are guessed without it: genpulse providers learn comfyui"
    by_name: dict[str, Workflow] = {}
    for path in paths:
        try:
            workflow = read_workflow(path, nodes)
            _claim(by_name, workflow)
        except ValueError as error:
            faults[path.name] = str(error)
        except OSError as error:
            faults[path.name] = f"it cannot be read: {error.strerror}"
    return WorkflowFolder(tuple(by_name.values()), nodes, faults)


def _claim(by_name: dict[str, Workflow], workflow: Workflow) -> None:
    if workflow.name == FREE:
        raise ValueError(
            f"its name is that of comfyui/{FREE}, which takes any workflow: give the file another one"
        )
    if workflow.name in by_name:
        raise ValueError(f"another file is comfyui/{workflow.name} already: give this one another name")
    by_name[workflow.name] = workflow


def read_workflow(path: Path, nodes: Nodes) -> Workflow:
    """Read one workflow, and its sheet. Raises `ValueError` and `OSError` for what cannot be used."""
    graph = graph_of(path.read_bytes())
    beside = path.with_suffix(".yaml")
    sheet = sheet_of(beside.read_bytes()) if beside.exists() else Sheet()
    return made(model_name(path.stem), graph, sheet, nodes)


def graph_of(content: bytes) -> Graph:
    """The workflow in a file. Raises `ValueError` for all else."""
    if not content.strip():
        raise ValueError("the file is empty: a workflow in API format was expected (Workflow > Export (API))")
    try:
        return checked(json.loads(content))
    except RecursionError as error:
        raise ValueError("it is no workflow: lists or objects lie too deep in each other") from error
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from error
    except InvalidInput as error:
        raise ValueError(error.message) from error


def sheet_of(content: bytes) -> Sheet:
    """The sheet in a YAML file. Raises `ValueError`."""
    try:
        return Sheet.model_validate(yaml.safe_load(content) or {})
    except yaml.YAMLError as error:
        raise ValueError(f"its sheet is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        each = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise ValueError(f"its sheet does not hold: {'; '.join(each)}") from error


def made(name: str, graph: Graph, sheet: Sheet, nodes: Nodes) -> Workflow:
    """The workflow with its sheet. Raises `ValueError` where one does not fit the other."""
    try:
        sockets = {socket.name: socket for socket in titled(graph, nodes)}
        sockets |= {one: declared(graph, nodes, one, entry) for one, entry in sheet.inputs.items()}
        outputs = tuple(node_of(graph, word) for word in sheet.outputs)
    except ProviderError as error:
        raise ValueError(error.message) from error
    for one, entry in sheet.inputs.items():
        _check_default(one, sockets[one].kind, entry.default)
    kinds = (sheet.kind,) if isinstance(sheet.kind, str) else tuple(sheet.kind)
    sockets_ = tuple(sockets.values())
    workflow = Workflow(name, graph, sockets_, kinds, sheet.title or name, sheet.description, outputs)
    _check_model(workflow)
    return workflow


def _check_model(workflow: Workflow) -> None:
    """It can be a model with these inputs."""
    if unfit := [socket.name for socket in workflow.sockets if not is_input_name(socket.name)]:
        raise ValueError(f"{unfit[0]!r} cannot be the name of an input: every model has something of that name")
    if not is_model_name(workflow.name):
        raise ValueError(f"{workflow.name!r} cannot be the name of a model: letters, digits, '.', '_' and '-' can")
    if not workflow.kinds or not all(map(is_kind, workflow.kinds)):
        raise ValueError(f"its kind is {', '.join(workflow.kinds)!r}, and has to be like text-to-image")


def _check_default(name: str, kind: str, default: object) -> None:
    if default is None or kind not in _NUMBERS:
        return
    try:
        _NUMBERS[kind].validate_python(default)
    except ValidationError as error:
        raise ValueError(f"the default of {name} is {default!r}, and has to be of type {kind}") from error
