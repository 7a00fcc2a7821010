"""Outputs as a page may show them: pictures, sound and video by their signed addresses, and short texts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from genpulse.api.schemas.links import Links
from genpulse.domain.assets.asset import Asset
from genpulse.domain.errors import StorageLost, StorageUnavailable
from genpulse.domain.task import Task
from genpulse.ports import Storage

_PICTURES = frozenset({"image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp"})
_TEXTS = frozenset({"application/json", "text/plain", "text/markdown", "text/csv"})
_SHOWN_BYTES = 64 * 1024


class OutputForm(StrEnum):
    """How an output is shown. A FILE can be fetched, and nothing of it is shown: so it is with SVG and HTML."""

    PICTURE = "picture"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class ShownOutput:
    """An output and the addresses of its bytes. `text` is what a text says, as far as it is short enough."""

    asset: Asset
    form: OutputForm
    url: str
    thumbnail_url: str | None
    text: str = ""


def form_of(media_type: str) -> OutputForm:
    """How files of this type are shown."""
    if media_type in _PICTURES:
        return OutputForm.PICTURE
    if media_type.startswith("video/"):
        return OutputForm.VIDEO
    if media_type.startswith("audio/"):
        return OutputForm.AUDIO
    return OutputForm.TEXT if media_type in _TEXTS else OutputForm.FILE


def shown_output(links: Links, asset: Asset, text: str = "") -> ShownOutput:
    """One output."""
    media_type = asset.content.media_type
    return ShownOutput(
        asset, form_of(media_type), links.content(asset.id), links.thumbnail(asset.id, media_type), text
    )


async def shown_outputs(storage: Storage, links: Links, task: Task) -> Sequence[ShownOutput]:
    """All outputs of a task."""
    return [shown_output(links, asset, await _text(storage, asset)) for asset in task.outputs]


async def _text(storage: Storage, asset: Asset) -> str:
    content = asset.content
    if form_of(content.media_type) is not OutputForm.TEXT or content.size > _SHOWN_BYTES:
        return ""
    try:
        chunks = [chunk async for chunk in storage.read(content.key, 0, content.size)]
    except (StorageUnavailable, StorageLost):
        return ""
    text = b"".join(chunks).decode("utf-8", "replace")
    return _pretty(text) if content.media_type == "application/json" else text


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
