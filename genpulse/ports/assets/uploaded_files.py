"""The port of what callers said of the files that they brought."""

from typing import Protocol
from uuid import UUID

from genpulse.domain.assets.uploaded_file import UploadedFile, UploadedFileQuery


class UploadedFileStore(Protocol):
    """It goes with the asset. Uploads of which nothing was said are not in it. All raise `DatabaseUnavailable`."""

    async def add(self, file: UploadedFile) -> None:
        """Remember what was said of an asset that is there; where it is gone again, nothing is remembered."""

    async def get(self, asset_id: UUID) -> UploadedFile | None:
        """What was said of this asset; None where nothing was, and where the asset is gone."""

    async def find(self, query: UploadedFileQuery) -> tuple[UploadedFile, ...]:
        """A page of them, newest first."""
