"""What callers said of their files, inside this process."""

from uuid import UUID

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.assets.uploaded_file import UploadedFile, UploadedFileQuery


class MemoryUploadedFiles:
    """Implements `UploadedFileStore` for the assets of a store."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store
        self._files: dict[UUID, UploadedFile] = {}

    async def add(self, file: UploadedFile) -> None:
        """Remember what was said of an asset that is there."""
        if self._is_there(file.asset.id):
            self._files.setdefault(file.asset.id, file)

    async def get(self, asset_id: UUID) -> UploadedFile | None:
        """What was said of this asset."""
        return self._files.get(asset_id) if self._is_there(asset_id) else None

    async def find(self, query: UploadedFileQuery) -> tuple[UploadedFile, ...]:
        """A page of them, newest first."""
        files = [
            file
            for asset_id, file in sorted(self._files.items(), reverse=True)
            if self._is_there(asset_id)
            and query.owner in {None, file.asset.owner}
            and (query.before is None or asset_id < query.before)
        ]
        return tuple(files[: query.limit])

    def _is_there(self, asset_id: UUID) -> bool:
        store = self._store
        return asset_id not in store.deleted.assets and any(asset.id == asset_id for asset in store.all_assets())
