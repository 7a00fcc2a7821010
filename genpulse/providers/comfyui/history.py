"""Reads ComfyUI's history of a prompt that has ended: its failure, or its files and texts.

Captured from a real ComfyUI 0.3.64 (certain): `{"outputs": {"4": {"images": [{"filename": …, "type": …}]}}}`.
What a node shows is its author's affair (`"ui": {"text": "a red fox"}`, null, an object for a list): everything
is taken by what it is, and what is nothing is passed over.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import Answer, OutputPlace, ProviderError, ProviderRejected, ProviderUnavailable
from genpulse.provider.status_words import FIELD

_TEXTS = ("text", "string")
_PREVIEW = "temp"
_WORDS = 1_000


@dataclass(frozen=True, slots=True)
class File:
    """A file on the server, as `/view` wants it named. `type` is a folder; `temp` holds previews."""

    filename: str
    subfolder: str
    type: str

    @property
    def path(self) -> str:
        """The path that it is fetched from."""
        names = {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}
        return f"/view?{urlencode(names, errors='replace')}"


def files_of(entry: JsonObject, nodes: Collection[str] = ()) -> tuple[File, ...]:
    """The files of these nodes, of all where none is named; previews only when there is nothing else."""
    files = tuple(dict.fromkeys(_files(_shown(entry, nodes))))
    return tuple(file for file in files if file.type != _PREVIEW) or files


def answer_of(entry: JsonObject, nodes: Collection[str], files: Sequence[File]) -> Answer:
    """What these nodes have shown, by their ids, with a place where one of the files stands; None for nothing."""
    places: dict[File | None, OutputPlace] = {file: OutputPlace(number) for number, file in enumerate(files)}
    outputs = entry.get("outputs")
    if isinstance(outputs, dict):
        outputs = {node_id: shown for node_id, shown in outputs.items() if not nodes or node_id in nodes}
    if not isinstance(outputs, dict | list) or not outputs:
        return None
    root: list[Any] = [outputs]
    waiting: list[Any] = [root]
    while waiting:
        holder = waiting.pop()
        for key, value in [*(holder.items() if isinstance(holder, dict) else enumerate(holder))]:
            if isinstance(value, dict):
                file = _file(value)
                holder[key] = places.get(file) if file in places else {**value}
            elif isinstance(value, list):
                holder[key] = [*value]
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    answer: Answer = root[0]
    return answer


def texts_of(entry: JsonObject, nodes: Collection[str] = ()) -> tuple[str, ...]:
    """The texts of the same nodes."""
    objects = [node for node in _shown(entry, nodes) if isinstance(node, dict)]
    return tuple(text for node in objects for name in _TEXTS for text in _texts(node.get(name)))


def _shown(entry: JsonObject, nodes: Collection[str]) -> Iterable[JsonValue]:
    outputs = entry.get("outputs")
    if isinstance(outputs, dict):
        return [shown for node_id, shown in outputs.items() if not nodes or node_id in nodes]
    return outputs if isinstance(outputs, list) else []


def _files(values: Iterable[JsonValue]) -> Iterator[File]:
    waiting = [*reversed([*values])]
    while waiting:
        match waiting.pop():
            case dict() as inner if file := _file(inner):
                yield file
            case dict() as inner:
                waiting += reversed(inner.values())
            case list() as inner:
                waiting += reversed(inner)


def _file(entry: JsonObject) -> File | None:
    name = _text(entry.get("filename"))
    return File(name, _text(entry.get("subfolder")), _text(entry.get("type")) or "output") if name else None


def _texts(value: JsonValue) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case bool():
                continue
            case str() | int() | float() as text if str(text).strip():
                yield str(text)
            case dict() as inner if not _text(inner.get("filename")):
                waiting += reversed(inner.values())
            case list() as inner:
                waiting += reversed(inner)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def failure_of(entry: JsonObject) -> ProviderError | None:
    """Why a prompt has failed; None where it has not."""
    status = entry.get("status")
    word = status.get("status_str") if isinstance(status, dict) else status
    if not FIELD.standing(word).is_lost:
        return None
    messages = dict(_messages(status.get("messages") if isinstance(status, dict) else None))
    if "execution_interrupted" in messages:
        return ProviderRejected("Somebody has interrupted the prompt at ComfyUI.")
    return _failed(messages.get("execution_error", {}))


def _failed(error: JsonObject) -> ProviderError:
    node, kind = _scalar(error.get("node_id")), _scalar(error.get("node_type"))
    words = f"node {node or '?'} ({kind or '?'}): {_scalar(error.get('exception_message'))[:_WORDS]}".strip()
    if "OutOfMemory" in _text(error.get("exception_type")):
        # What else runs there may have taken the memory: later there may be more.
        return ProviderUnavailable(f"ComfyUI has run out of memory: {words}")
    return ProviderRejected(f"The workflow failed: {words}")


def _messages(messages: JsonValue) -> Iterator[tuple[str, JsonObject]]:
    for message in messages if isinstance(messages, list) else ():
        match message:
            case [str(name), dict(data), *_]:
                yield name, data


def _scalar(value: JsonValue) -> str:
    return str(value) if isinstance(value, str | int | float) else ""
