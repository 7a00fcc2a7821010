"""The result of a task: JSON in which each file is a reference to its asset."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from genpulse.domain.json.value import JsonValue

ASSET = "$asset"
"""The only name in the object that refers to an asset. A provider's own `$asset` gets one more `$` before it."""
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_REFERENCE = re.compile(rf'\{{"\$asset":"({_ID})"\}}')
"""In a text without blanks. A provider's names are escaped, and quotes in its texts too: it can write none."""
_OWN_NAME = re.compile(r"\$+asset")
_MEDIA = frozenset({"audio", "file", "files", "image", "images", "output", "outputs", "video", "videos"})
_TOLD = frozenset({"content_type", "duration", "file_size", "height", "url", "width"})
"""What outputs tell of a file, by the names of vendors."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A result as it is kept: encoded once, so that numbers and the order of names stay as they came."""

    text: str

    def text_with_urls(self, url_of: Callable[[UUID], str]) -> str:
        """The same JSON, with the `url` of its asset in each reference."""
        written: dict[str, str] = {}

        def written_with_url(match: re.Match[str]) -> str:
            asset_id = match[1]
            if asset_id not in written:
                url = json.dumps(url_of(UUID(asset_id)))
                written[asset_id] = f'{{"{ASSET}":"{asset_id}","url":{url}}}'
            return written[asset_id]

        return _REFERENCE.sub(written_with_url, self.text)

    def value_with(self, shown_file: Callable[[UUID], JsonValue]) -> JsonValue:
        """The provider's own JSON, with what `shown_file` gives for an asset in the place of each reference."""
        return _with_files(json.loads(self.text), shown_file)


def reference_to(asset_id: UUID) -> dict[str, str]:
    """What stands in a result in the place of a file."""
    return {ASSET: str(asset_id)}


def escaped(name: str) -> str:
    """A provider's name of a value, which is never taken for ours."""
    return f"${name}" if _OWN_NAME.fullmatch(name) else name


def tells_more(result: JsonValue) -> bool:
    """Whether a result says anything but which files there are, one after the other.

    What is said of a file beside its address (its type, its size) is known of the output anyway, and so is a
    name such as `images` around all of them.
    """
    if isinstance(result, dict) and len(result) == 1 and _MEDIA & result.keys():
        (result,) = result.values()
    items = result if isinstance(result, list) else [result]
    return not all(_is_file_alone(item) for item in items)


def _is_file_alone(item: JsonValue) -> bool:
    if not isinstance(item, dict):
        return item is None
    return ASSET in item or ("url" in item and item.keys() <= _TOLD and _is_place(item["url"]))


def _is_place(value: JsonValue) -> bool:
    """Whether a file stands there, or is missing there."""
    return value is None or (isinstance(value, dict) and ASSET in value)


def _with_files(value: Any, shown_file: Callable[[UUID], JsonValue]) -> JsonValue:
    match value:
        case dict() if ASSET in value:
            return shown_file(UUID(value[ASSET]))
        case dict():
            return {_own(name): _with_files(inner, shown_file) for name, inner in value.items()}
        case list():
            return [_with_files(inner, shown_file) for inner in value]
        case _:
            plain: JsonValue = value
            return plain


def _own(name: str) -> str:
    return name[1:] if _OWN_NAME.fullmatch(name) else name
