"""Thumbnails inside this process."""

from uuid import UUID

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth


class MemoryThumbnails:
    """Implements `ThumbnailStore` for the assets of a store, which holds the thumbnails."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store

    async def find(self, source: str, width: ThumbnailWidth) -> Thumbnail | None:
        """The thumbnail of the content under this key."""
        return self._store.thumbnails.get((source, width))

    async def add(self, thumbnail: Thumbnail, asset_id: UUID, *, replacing: Thumbnail | None = None) -> bool:
        """Remember it, for as long as an asset has this content."""
        place, store = (thumbnail.source, thumbnail.width), self._store
        is_there = any(asset.id == asset_id and asset.content.key == place[0] for asset in store.all_assets())
        if not is_there or asset_id in store.deleted.assets:
            return False
        if place in store.thumbnails and store.thumbnails[place] != replacing:
            return False
        store.thumbnails[place] = thumbnail
        return True
