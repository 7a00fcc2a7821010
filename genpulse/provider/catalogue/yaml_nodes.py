"""Reading YAML of strangers: bounded, without keys that come twice, and with the line of each place."""

from typing import Any, TypeAlias

import yaml

from genpulse.provider.catalogue.faults import ModelFault, ModelFilesInvalid

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 50
_LARGEST = 1_000_000
Path: TypeAlias = tuple[str | int, ...]


class YamlFile:
    """The document of a text, and the line of each place in it. `name` is the file's, for messages.

    Raises `ModelFilesInvalid`.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        try:
            _check_depth(text, name)
            loader = _Loader(text)
            try:
                self._root = loader.get_single_node()
                if self._root is not None:
                    _Sizes(name).size(self._root)
                self.document: Any = None if self._root is None else loader.construct_document(self._root)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = ", ".join(" ".join(str(part).split()) for part in (error.context, error.problem) if part)
            raise ModelFilesInvalid(
                [ModelFault(name, f"it is no YAML: {problem}", mark.line + 1 if mark else None)]
            ) from error
        except (LookupError, AttributeError) as error:
            problem = "it is no YAML: a value is not what its tag says, such as !!int or !!timestamp"
            raise ModelFilesInvalid([ModelFault(name, problem)]) from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            problem = " ".join(str(error).split())
            raise ModelFilesInvalid([ModelFault(name, f"it is no YAML: {problem}")]) from error

    def line(self, path: Path) -> int | None:
        """The line of a place, or of the nearest one above it that is there."""
        node, line = self._root, None
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            key, node = child
            line = key.start_mark.line + 1
        return line or (self._root.start_mark.line + 1 if self._root is not None else None)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _check_depth(text: str, name: str) -> None:
    """The parser of YAML calls itself for each level, and nothing there stops it."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        depth = max(depth + line.count("[") + line.count("{") - line.count("]") - line.count("}"), 0)
        begins = len(line) - len(line.lstrip(" -?:"))
        if depth > _DEEPEST or begins > 4 * _DEEPEST:
            raise ModelFilesInvalid([ModelFault(name, "lists and mappings lie too deep in each other", number)])


class _Sizes:
    """How large a document is with its aliases, by which a small text can mean a huge one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[int, int] = {}

    def size(self, node: Any, depth: int = 0) -> int:
        """Of a node with all below it. Raises `ModelFilesInvalid`, also for a key that comes twice."""
        if id(node) in self._known:
            return self._known[id(node)]
        if depth > _DEEPEST:
            raise self._invalid(node, "lists and mappings lie too deep in each other")
        if isinstance(node, yaml.MappingNode):
            _check_keys(node, self._name)
        size = 1 + sum(self.size(part, depth + 1) for part in _below(node))
        if size > _LARGEST:
            raise self._invalid(node, "its aliases (*name) make it too large")
        self._known[id(node)] = size
        return size

    def _invalid(self, node: Any, message: str) -> ModelFilesInvalid:
        return ModelFilesInvalid([ModelFault(self._name, message, node.start_mark.line + 1)])


def _check_keys(node: Any, name: str) -> None:
    keys: set[str] = set()
    for key, _ in node.value:
        word = str(key.value)
        if word in keys:
            raise ModelFilesInvalid([ModelFault(name, f"the key {word!r} comes twice", key.start_mark.line + 1)])
        keys.add(word)


def _below(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []
