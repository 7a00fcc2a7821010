"""Thumbnails: small pictures of assets that can be looked at or heard."""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from genpulse.domain.assets.asset import Content
from genpulse.domain.errors import NoThumbnail

LARGEST_BYTES = 512 << 20
"""Of a larger file no thumbnail is made."""
_PICTURES = frozenset({"image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp"})


class ThumbnailWidth(IntEnum):
    """The widths that there are, in pixels; few, so that nobody fills the storage with them."""

    W64 = 64
    W160 = 160
    W320 = 320
    W640 = 640
    W1280 = 1280


THUMBNAIL_TYPE = "image/webp"
USUAL_WIDTH = ThumbnailWidth.W320


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail that is stored, of the content under the key `source`.

    `key` is where its bytes lie, nobody else's; `size` is in bytes.
    """

    source: str
    width: ThumbnailWidth
    key: str
    size: int
    sha256: str


def thumbnail_key(source: str, width: ThumbnailWidth, thumbnail_id: UUID) -> str:
    """Where a thumbnail lies: `thumbnails/2030-W05/ab/abcdef…-320-<id>`, after the key of the content.

    The id is new each time, so that no two processes ever store under the same key.
    """
    return f"thumbnails/{source.removeprefix('assets/')}-{width}-{thumbnail_id.hex}"


def can_have_thumbnail(media_type: str) -> bool:
    """Whether files of this type can have one."""
    return media_type in _PICTURES or media_type.startswith(("audio/", "video/"))


def check_can_have_thumbnail(content: Content) -> None:
    """Raises `NoThumbnail`."""
    if not can_have_thumbnail(content.media_type):
        pictures = ", ".join(sorted(name.removeprefix("image/") for name in _PICTURES))
        raise NoThumbnail(f"It is {content.media_type}; pictures ({pictures}), videos and sounds have one.")
    if content.size > LARGEST_BYTES:
        raise NoThumbnail(f"It has {content.size:,} bytes; one is made of at most {LARGEST_BYTES:,}.")
