"""What a file is, told by its bytes and by nothing else."""

import json
from dataclasses import dataclass
from pathlib import Path

import imagesize
import puremagic
from pymediainfo import MediaInfo

UNKNOWN = "application/octet-stream"
_TEXT_LOOKED_AT = 1 << 16
_JSON_LARGEST = 1 << 20
_SURE_ENOUGH = 0.2

_USUAL_NAMES = {
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "image/x-ms-bmp": "image/bmp",
    "application/x-matroska": "video/x-matroska",
}


@dataclass(frozen=True, slots=True)
class Media:
    """`width` and `height` in pixels, `duration_s` in seconds; None where it does not apply or cannot be told."""

    media_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


def describe(path: Path) -> Media:
    """Look at a file. Whatever it holds, this answers; what is not known is `application/octet-stream`."""
    media_type = _media_type(path)
    kind = media_type.partition("/")[0]
    if kind == "image":
        width, height = imagesize.get(path)
        return Media(media_type, *((width, height) if width > 0 and height > 0 else (None, None)))
    if kind in {"audio", "video"} or media_type == "application/ogg":
        return _audio_or_video(path, media_type)
    return Media(media_type)


def _media_type(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_TEXT_LOOKED_AT)
    if head.startswith(b"glTF"):
        return "model/gltf-binary"
    matches = _matches(path)
    if _is_text(head):
        return _text_type(path, matches)
    sure = [name for name, confidence in matches if confidence >= _SURE_ENOUGH]
    return _USUAL_NAMES.get(sure[0], sure[0]) if sure else UNKNOWN


def _matches(path: Path) -> list[tuple[str, float]]:
    try:
        found = puremagic.magic_file(str(path))
    except (puremagic.PureError, ValueError, IndexError):
        return []
    return [(match.mime_type, match.confidence) for match in found if match.mime_type]


def _is_text(head: bytes) -> bool:
    """Text in UTF-8 without control characters; a character that is cut off at the end is no fault."""
    if not head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < _TEXT_LOOKED_AT or error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return not any(character < " " and character not in "\t\n\r\f" for character in text)


def _text_type(path: Path, matches: list[tuple[str, float]]) -> str:
    for name, _ in matches:
        if name in {"image/svg+xml", "text/html"}:
            return name
    return "application/json" if _is_json(path) else "text/plain"


def _is_json(path: Path) -> bool:
    if path.stat().st_size > _JSON_LARGEST:
        return False
    content = path.read_bytes()
    if not content.lstrip().startswith((b"{", b"[")):
        return False
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _audio_or_video(path: Path, media_type: str) -> Media:
    tracks = MediaInfo.parse(str(path)).tracks
    videos = [track for track in tracks if track.track_type == "Video"]
    durations = [float(track.duration) for track in tracks if track.duration]
    return Media(
        media_type if videos else _sound_type(media_type),
        videos[0].width if videos else None,
        videos[0].height if videos else None,
        round(max(durations) / 1000, 3) if durations else None,
    )


def _sound_type(media_type: str) -> str:
    """A container that can hold pictures, and holds only sound."""
    names = {"video/mp4": "audio/mp4", "video/webm": "audio/webm", "application/ogg": "audio/ogg"}
    return names.get(media_type, media_type)
