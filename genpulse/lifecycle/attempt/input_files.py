"""Input files of a task."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar
from uuid import UUID

from genpulse.domain.assets.asset import REFERENCE, Asset, referred
from genpulse.domain.errors import (
    InvalidInput,
    StorageLost,
    UnknownAsset,
    UnknownTask,
)
from genpulse.domain.submission.file_reference import FORMS, TaskOutput, asset_named, output_named
from genpulse.domain.submission.missing_output import ambiguity
from genpulse.domain.task import Task
from genpulse.lifecycle.store_retry import until_available
from genpulse.ports import Services
from genpulse.provider import Attachment
from genpulse.provider.encoded import data_uri, is_data_uri
from genpulse.provider.inputs.named_file import fetch_named_file

FETCHED_BYTES = 1 << 30
"""How large a file may be that an input names by its https URL."""

T = TypeVar("T")


class TaskAttachments:
    """Implements `Attachments` for one attempt. `files` removes what was fetched."""

    def __init__(self, services: Services, task: Task, files: AsyncExitStack) -> None:
        self._services = services
        self._task = task
        self._files = files

    def keeps(self, reference: str) -> bool:
        """Whether the file is one that this installation keeps."""
        return bool(
            reference.startswith(REFERENCE)
            or output_named(reference)
            or asset_named(reference, self._services.api_url)
        )

    async def fetch(self, reference: str) -> Attachment:
        """The file behind a reference, for whoever submitted the task. Raises `InvalidInput`."""
        if output := output_named(reference):
            return await self._kept(await self._output(output))
        if asset_id := asset_named(reference, self._services.api_url) or referred(reference):
            return await self._kept(await self._asset(asset_id))
        if is_data_uri(reference):
            content = _decoded(reference)
            return await self._until_available(lambda: self._spooled(_one_chunk(content), len(content)))
        if reference.startswith("https://"):
            return await self._until_available(lambda: self._fetched(reference))
        raise InvalidInput(f"{reference[:100]!r} names no file; it has to be {FORMS}.")

    async def _kept(self, asset: Asset) -> Attachment:
        content = asset.content

        async def fetch_file() -> Attachment:
            chunks = self._services.storage.read(content.key, 0, content.size, sha256=content.sha256)
            spool = self._services.storage.spool(chunks, limit_bytes=max(content.size, 1))
            spooled = await self._files.enter_async_context(spool)
            return Attachment(spooled.path, content.media_type, content.size)

        try:
            return await self._until_available(fetch_file)
        except StorageLost as error:
            raise InvalidInput(f"The input refers to the asset {asset.id}. {error} Upload it again.") from error

    async def _fetched(self, url: str) -> Attachment:
        """The file behind a public https URL, fetched three times where its server is away for a moment."""
        http = self._services.http
        if http is None:
            raise InvalidInput(f"{url[:200]} of the input cannot be fetched: nothing fetches files here.")

        async def fetch() -> Attachment:
            return await self._spooled(http.fetch_public(url, limit_bytes=FETCHED_BYTES), FETCHED_BYTES)

        return await fetch_named_file(url, fetch)

    async def _until_available(self, act: Callable[[], Awaitable[T]]) -> T:
        return await until_available(self._services, "the input of task %s", self._task.id, act)

    async def _spooled(self, chunks: AsyncIterable[bytes], limit_bytes: int) -> Attachment:
        storage = self._services.storage
        spooled = await self._files.enter_async_context(storage.spool(chunks, limit_bytes=limit_bytes))
        return Attachment(spooled.path, await storage.media_type(spooled), spooled.size)

    async def _output(self, output: TaskOutput) -> Asset:
        what = f"task:{output.task_id}#{output.index}"
        try:
            task = await self._until_available(lambda: self._services.store.get(output.task_id))
        except UnknownTask as error:
            raise InvalidInput(f"The input names {what}. {error}") from error
        if self._task.owner and task.owner != self._task.owner:
            raise InvalidInput(f"The input names {what}. {UnknownTask(output.task_id)}")
        if why := ambiguity(task, output):
            raise InvalidInput(f"The input names {what}, and that {why}.")
        if output.index >= len(task.outputs):
            raise InvalidInput(
                f"The input names {what}, and that task is {task.status.value}, with {len(task.outputs)} outputs."
            )
        return task.outputs[output.index]

    async def _asset(self, asset_id: UUID) -> Asset:
        try:
            asset = await self._until_available(lambda: self._services.store.asset(asset_id))
        except UnknownAsset as error:
            raise InvalidInput(str(error)) from error
        if self._task.owner and asset.owner != self._task.owner:
            raise InvalidInput(str(UnknownAsset(asset_id)))
        return asset


def _decoded(reference: str) -> bytes:
    try:
        return data_uri(reference)[1]
    except ValueError as error:
        raise InvalidInput(f"A data: URI of the input cannot be read: {error}.") from error


async def _one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content
