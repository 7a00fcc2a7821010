"""Pictures in OpenAI's answers: base64 on the way out, so that none is held in memory whole."""

import base64
from collections.abc import AsyncGenerator, Callable, Mapping
from uuid import UUID

from pydantic_core import to_json

from genpulse.domain.assets.asset import Asset
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.result.shown_result import result_with
from genpulse.domain.task import Task
from genpulse.ports import Storage

FORMATS: Mapping[str, str] = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
_GROUP = 3 * 8192
"""Bytes that are encoded at once; of three come four letters, with none left over."""
_FILE = frozenset({"b64_json", "url"})
_DATA = b',"data":['


def described(task: Task) -> JsonObject:
    """What is said of all pictures of a task, with what its provider has reported of use."""
    finished_at = task.finished_at or task.created_at
    about: dict[str, JsonValue] = {"created": int(finished_at.timestamp())}
    if task.outputs:
        first = task.outputs[0].content
        about["output_format"] = FORMATS.get(first.media_type, first.media_type.rpartition("/")[2])
        if first.width and first.height:
            about["size"] = f"{first.width}x{first.height}"
    for name in ("quality", "background"):
        if isinstance(value := task.model_input.get(name), str):
            about[name] = value
    reported = _reported(task).get("usage")
    return {**about, **({"usage": reported} if isinstance(reported, dict) else {})}


async def encoded_answer(storage: Storage, task: Task) -> AsyncGenerator[bytes, None]:
    """The whole JSON answer, with each picture as `b64_json`."""
    yield to_json(described(task))[:-1] + _DATA
    notes = _said_of_each(task)
    for place, asset in enumerate(task.outputs):
        yield (b"," if place else b"") + _beginning(notes.get(asset.id, {}))
        async for letters in encoded(storage, asset):
            yield letters
        yield b'"}'
    yield b"]}"


def answer_bytes(task: Task) -> int:
    """How long that is."""
    notes = _said_of_each(task)
    around = len(to_json(described(task))) - 1 + len(_DATA + b"]}")
    each = (len(_beginning(notes.get(asset.id, {}))) + encoded_bytes(asset) + 2 for asset in task.outputs)
    return around + sum(each) + max(0, len(task.outputs) - 1)


def linked(task: Task, url_of: Callable[[UUID], str]) -> JsonObject:
    """The whole answer, with each picture as a `url`."""
    notes = _said_of_each(task)
    data: list[JsonValue] = [{**notes.get(asset.id, {}), "url": url_of(asset.id)} for asset in task.outputs]
    return {**described(task), "data": data}


def encoded_bytes(asset: Asset) -> int:
    """How many letters an asset has in base64."""
    return -(-asset.content.size // 3) * 4


async def encoded(storage: Storage, asset: Asset) -> AsyncGenerator[bytes, None]:
    """An asset in base64."""
    content, rest = asset.content, b""
    async for chunk in storage.read(content.key, 0, content.size, sha256=content.sha256):
        rest += chunk
        whole = len(rest) - len(rest) % 3
        for start in range(0, whole, _GROUP):
            yield base64.b64encode(rest[start : min(start + _GROUP, whole)])
        rest = rest[whole:]
    yield base64.b64encode(rest)


def _beginning(notes: JsonObject) -> bytes:
    words = to_json(notes)[1:-1]
    return b"{" + words + (b"," if words else b"") + b'"b64_json":"'


def _reported(task: Task) -> JsonObject:
    """What the provider answered, with the ids of assets in the place of files."""
    answer = result_with(task, lambda asset_id, _: str(asset_id))
    return answer if isinstance(answer, dict) else {}


def _said_of_each(task: Task) -> Mapping[UUID, JsonObject]:
    """What a provider that answers as OpenAI does says beside each picture, such as `revised_prompt`."""
    items = _reported(task).get("data")
    notes: dict[UUID, JsonObject] = {}
    ids = {str(asset.id): asset.id for asset in task.outputs}
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        rest = {name: value for name, value in item.items() if name not in _FILE and value is not None}
        for value in item.values():
            if isinstance(value, str) and value in ids:
                notes[ids[value]] = rest
    return notes
