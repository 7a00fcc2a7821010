"""The output of a request, in the shape that fal's apps have."""

from collections.abc import Sequence

from genpulse.api.responses.content_disposition import EXTENSIONS
from genpulse.api.schemas.links import Links
from genpulse.domain.assets.asset import Asset
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.result.shown_result import result_with
from genpulse.domain.task import Task

_VENDOR = "fal"
_SEED = "seed"
_LISTED = "images"
"""Pictures are several, of all else an app makes one."""
_ONE_AND_SEVERAL = {"video": "videos", "audio": "audios", "file": "files"}


def output_document(task: Task, links: Links) -> JsonObject:
    """The output of a task that has succeeded: where fal was asked its own answer, with our addresses of files."""
    result = result_with(task, lambda asset_id, _: links.content(asset_id))
    if task.provider == _VENDOR and isinstance(result, dict):
        return result
    document = _customary(task.outputs, links)
    seed = result.get(_SEED) if isinstance(result, dict) else None
    return document if seed is None else {**document, _SEED: seed}


def _customary(outputs: Sequence[Asset], links: Links) -> JsonObject:
    """For models that are none of fal's: the fields by which its apps name what they make."""
    document: dict[str, JsonValue] = {}
    images = [_file(asset, links) for asset in outputs if _kind(asset) == "image"]
    if images:
        document[_LISTED] = images
    for one, several in _ONE_AND_SEVERAL.items():
        files = [_file(asset, links) for asset in outputs if _kind(asset) == one]
        if files:
            document[one] = files[0]
        if len(files) > 1:
            document[several] = files
    return document


def _kind(asset: Asset) -> str:
    kind = asset.content.media_type.partition("/")[0]
    return kind if kind in {"image", "video", "audio"} else "file"


def _file(asset: Asset, links: Links) -> JsonObject:
    content = asset.content
    document: dict[str, JsonValue] = {
        "url": links.content(asset.id),
        "content_type": content.media_type,
        "file_name": f"{asset.id}.{EXTENSIONS.get(content.media_type, 'bin')}",
        "file_size": content.size,
    }
    measures = {"width": content.width, "height": content.height, "duration": content.duration_s}
    return document | {name: value for name, value in measures.items() if value is not None}
