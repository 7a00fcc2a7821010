"""The addresses that documents carry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from genpulse.domain.assets.thumbnail import USUAL_WIDTH, can_have_thumbnail

Id: TypeAlias = UUID | str
"""An id, or how it is written: to write it takes longer than all else of an address, and is done once."""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of what this service shows. `base` has no slash at its end.

    `signed` gives what is put behind the address of an asset's bytes, so that it can be fetched without a key, and
    `signed_events` the same for the events of a task. `has_thumbnails`: this service can make them.
    """

    base: str
    signed: Callable[[UUID], str] | None = None
    signed_events: Callable[[Id], str] | None = None
    has_thumbnails: bool = False

    def task(self, task_id: Id) -> str:
        """Of a task."""
        return f"{self.base}/v1/tasks/{task_id}"

    def events(self, task_id: Id) -> str:
        """Of a task's events."""
        query = f"?{self.signed_events(task_id)}" if self.signed_events else ""
        return f"{self.base}/v1/tasks/{task_id}/events{query}"

    def batch(self, batch_id: UUID) -> str:
        """Of a batch."""
        return f"{self.base}/v1/batches/{batch_id}"

    def asset(self, asset_id: UUID) -> str:
        """Of an asset."""
        return f"{self.base}/v1/assets/{asset_id}"

    def upload(self, asset_id: UUID, signature: str) -> str:
        """By which the file is brought that becomes this asset."""
        return f"{self.base}/v1/uploads/{asset_id}?signature={signature}"

    def content(self, asset_id: UUID) -> str:
        """Of an asset's bytes."""
        query = f"?{self.signed(asset_id)}" if self.signed else ""
        return f"{self.base}/v1/assets/{asset_id}/content{query}"

    def thumbnail(self, asset_id: UUID, media_type: str) -> str | None:
        """Of its thumbnail in the usual width; None where it can have none."""
        if not self.has_thumbnails or not can_have_thumbnail(media_type):
            return None
        signature = f"&{self.signed(asset_id)}" if self.signed else ""
        return f"{self.base}/v1/assets/{asset_id}/content?w={USUAL_WIDTH}{signature}"
