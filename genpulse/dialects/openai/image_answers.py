"""Pictures in OpenAI's answers: base64 on the way out, so that none is held in memory whole."""

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence

from pydantic_core import to_json

from genpulse.domain.asset import Asset
from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task
from genpulse.ports import Storage

FORMATS: Mapping[str, str] = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
_GROUP = 3 * 8192
"""Bytes that are encoded at once; of three come four letters, with none left over."""


def described(task: Task) -> JsonObject:
    """What is said of all pictures of a task."""
    finished_at = task.finished_at or task.created_at
    about: dict[str, object] = {"created": int(finished_at.timestamp())}
    if not task.outputs:
        return about  # type: ignore[return-value]
    first = task.outputs[0].content
    about["output_format"] = FORMATS.get(first.media_type, first.media_type.rpartition("/")[2])
    if first.width and first.height:
        about["size"] = f"{first.width}x{first.height}"
    for name in ("quality", "background"):
        if isinstance(value := task.model_input.get(name), str):
            about[name] = value
    return about  # type: ignore[return-value]


async def encoded_answer(storage: Storage, task: Task) -> AsyncGenerator[bytes, None]:
    """The whole JSON answer, with each picture as `b64_json`."""
    yield to_json(described(task))[:-1] + b',"data":['
    for place, asset in enumerate(task.outputs):
        yield b',{"b64_json":"' if place else b'{"b64_json":"'
        async for letters in encoded(storage, asset):
            yield letters
        yield b'"}'
    yield b"]}"


def answer_bytes(task: Task) -> int:
    """How long that is."""
    around = len(to_json(described(task))) - 1 + len(b',"data":[' + b"]}")
    each = sum(len(b'{"b64_json":""}') + encoded_bytes(asset) for asset in task.outputs)
    return around + each + max(0, len(task.outputs) - 1)


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


def linked(task: Task, addresses: Sequence[str]) -> JsonObject:
    """The whole answer, with each picture as a `url`."""
    return {**described(task), "data": [{"url": address} for address in addresses]}
