"""Input files of a task."""

from contextlib import AsyncExitStack
from uuid import UUID

from genpulse.domain.asset import Asset, referred
from genpulse.domain.errors import InvalidInput, StorageLost, UnknownAsset
from genpulse.domain.task import Task
from genpulse.lifecycle.store_retry import until_available
from genpulse.ports import Services
from genpulse.provider import Attachment


class TaskAttachments:
    """Implements `Attachments` for one attempt. `files` removes what was fetched."""

    def __init__(self, services: Services, task: Task, files: AsyncExitStack) -> None:
        self._services = services
        self._task = task
        self._files = files

    async def fetch(self, reference: str) -> Attachment:
        """The file behind `asset:<id>`, an asset of whoever submitted the task.

        Raises `InvalidInput` where there is none, and where its bytes are gone.
        """
        asset = await self._asset(_asset_id(reference))
        content = asset.content

        async def fetch_file() -> Attachment:
            chunks = self._services.storage.read(content.key, 0, content.size, sha256=content.sha256)
            spool = self._services.storage.spool(chunks, limit_bytes=max(content.size, 1))
            spooled = await self._files.enter_async_context(spool)
            return Attachment(spooled.path, content.media_type, content.size)

        try:
            return await until_available(self._services, "the input of task %s", self._task.id, fetch_file)
        except StorageLost as error:
            raise InvalidInput(f"The input refers to the asset {asset.id}. {error} Upload it again.") from error

    async def _asset(self, asset_id: UUID) -> Asset:
        try:
            asset = await until_available(
                self._services,
                "the input of task %s",
                self._task.id,
                lambda: self._services.store.asset(asset_id),
            )
        except UnknownAsset as error:
            raise InvalidInput(str(error)) from error
        if self._task.owner and asset.owner != self._task.owner:
            raise InvalidInput(str(UnknownAsset(asset_id)))
        return asset


def _asset_id(reference: str) -> UUID:
    asset_id = referred(reference)
    if asset_id is None:
        raise InvalidInput(
            f"{reference[:100]!r} is no reference to an asset; it has to be asset: and the id of an upload."
        )
    return asset_id
