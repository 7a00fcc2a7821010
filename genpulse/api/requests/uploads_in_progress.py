"""Uploads that come by a signed address, one of each address at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from genpulse.api.errors import UploadInProgress


class UploadsInProgress:
    """Those of this process. Whoever has an address can fill a disk by it with one file, and not with many."""

    def __init__(self) -> None:
        self._asset_ids: set[UUID] = set()

    @contextmanager
    def alone(self, asset_id: UUID) -> Iterator[None]:
        """While the file comes that becomes this asset. Raises `UploadInProgress`."""
        if asset_id in self._asset_ids:
            raise UploadInProgress
        self._asset_ids.add(asset_id)
        try:
            yield
        finally:
            self._asset_ids.discard(asset_id)
