"""The port of thumbnails: who remembers them, and who makes them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth


class ThumbnailStore(Protocol):
    """Which thumbnails are stored. They go with the last asset that has their content.

    All raise `DatabaseUnavailable`.
    """

    async def find(self, source: str, width: ThumbnailWidth) -> Thumbnail | None:
        """The thumbnail of the content under this key; None where none was stored."""

    async def add(self, thumbnail: Thumbnail, asset_id: UUID, *, replacing: Thumbnail | None = None) -> bool:
        """Remember it, for as long as an asset has this content. Its key was noted by `Retention.expect` before.

        False, and nothing is remembered, where the asset is gone, or where there is one already that is not
        `replacing`.
        """


class ThumbnailMaker(Protocol):
    """Makes thumbnails, a few at a time; the others wait."""

    async def make(self, path: Path, media_type: str, width: ThumbnailWidth) -> bytes:
        """A WebP of this width, or as wide as it is: upright and without metadata; of a video an early frame.

        Raises `NoThumbnail` for a file that is broken, or takes too much time or memory, and `ThumbnailsBusy`.
        """


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """What there is for thumbnails where what makes them is installed."""

    store: ThumbnailStore
    maker: ThumbnailMaker
