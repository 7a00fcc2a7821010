"""Media type, dimensions and duration of a file, from its bytes alone."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

import imagesize

from genpulse.adapters.storage.media.media_type import UNKNOWN, media_type_of
from genpulse.adapters.storage.media.tracks import tracks_of
from genpulse.domain.assets.asset import Content

_MOST_PIXELS = 1 << 20
_LONGEST_S = 10 * 365 * 86_400
_BROKEN = (ValueError, LookupError, ArithmeticError, TypeError, OSError, struct.error)
"""What `imagesize` raises for pictures that are cut off or lie about themselves."""

_NOT_PROVEN = {"audio/mpeg", "audio/aac"}
_ONLY_SOUND = {
    "application/ogg": "audio/ogg",
    "video/mp4": "audio/mp4",
    "video/ogg": "audio/ogg",
    "video/webm": "audio/webm",
    "video/x-matroska": "audio/x-matroska",
}


@dataclass(frozen=True, slots=True)
class Media:
    """`width` and `height` in pixels as it is shown, `duration_s` in seconds.

    None where it does not apply or cannot be told. Drawings (SVG) have no pixels.
    """

    media_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None

    def content(self, key: str, sha256: str, size: int) -> Content:
        """The same with where it lies, its digest and its size in bytes."""
        return Content(key, sha256, size, self.media_type, self.width, self.height, self.duration_s)


def describe(file: BinaryIO) -> Media:
    """Look at a file, wherever its bytes lie. Whatever it holds, this answers.

    What is not known is `application/octet-stream`.
    """
    media_type = media_type_of(file)
    kind = media_type.partition("/")[0]
    if media_type == "image/svg+xml":
        return Media(media_type)
    if kind == "image":
        return _picture(file, media_type)
    if kind in {"audio", "video"} or media_type == "application/ogg":
        return _audio_or_video(file, media_type)
    return Media(media_type)


def _picture(file: BinaryIO, media_type: str) -> Media:
    file.seek(0)
    try:
        width, height = _pixels(*imagesize.get(file))
    except _BROKEN:
        return Media(media_type)
    return Media(media_type, width, height)


def _audio_or_video(file: BinaryIO, media_type: str) -> Media:
    tracks = tracks_of(file)
    duration_s = _seconds(tracks.duration_ms)
    if tracks.pictures:
        width, height = _pixels(tracks.width, tracks.height)
        return Media(media_type, width, height, duration_s)
    if tracks.sound:
        return Media(_ONLY_SOUND.get(media_type, media_type), duration_s=duration_s)
    return Media(UNKNOWN if media_type in _NOT_PROVEN else media_type)


def _pixels(width: object, height: object) -> tuple[int, int] | tuple[None, None]:
    """Width and height if both are plausible, else neither."""
    if isinstance(width, int) and isinstance(height, int) and 0 < width <= _MOST_PIXELS >= height > 0:
        return width, height
    return None, None


def _seconds(milliseconds: object) -> float | None:
    if isinstance(milliseconds, int | float) and 0 < milliseconds / 1000 < _LONGEST_S:
        return round(milliseconds / 1000, 3)
    return None
