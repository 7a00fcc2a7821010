"""Thumbnails of assets: made when somebody first asks for one, and stored."""

import asyncio
import logging
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TypeAlias

from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth, check_can_have_thumbnail, thumbnail_key
from genpulse.domain.errors import NoThumbnail, StorageLost, ThumbnailsBusy, ThumbnailsNotInstalled, Unavailable
from genpulse.ports import Services, Thumbnails

AT_ONCE = 2
MOST_WAITING = 200
FAILURE_LASTS = timedelta(minutes=10)

_MOST_FAILURES = 10_000
_Making: TypeAlias = tuple[str, ThumbnailWidth]

_log = logging.getLogger(__name__)


class ThumbnailShelf:
    """Finds thumbnails, and makes those that are not there: each once, however many ask for it in this process.

    Files of which none can be made are remembered for 10 minutes, and not tried before.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._room = asyncio.Semaphore(AT_ONCE)
        self._making: dict[_Making, asyncio.Task[bytes]] = {}
        self._failures: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    def check(self, asset: Asset) -> Thumbnails:
        """What makes thumbnails, if this asset can have one. Raises `NoThumbnail`, `ThumbnailsNotInstalled`."""
        check_can_have_thumbnail(asset.content)
        if self._services.thumbnails is None:
            raise ThumbnailsNotInstalled
        return self._services.thumbnails

    async def get(self, asset: Asset, width: ThumbnailWidth) -> bytes:
        """The WebP. Raises `NoThumbnail`, `ThumbnailsNotInstalled`, `ThumbnailsBusy`, `StorageLost`,
        `StorageUnavailable`, `DatabaseUnavailable`.
        """
        thumbnails = self.check(asset)
        thumbnail = await thumbnails.store.find(asset.content.key, width)
        if thumbnail is not None:
            try:
                return await self._read(thumbnail)
            except StorageLost as error:
                _log.warning("the thumbnail %s is made anew: %s", thumbnail.key, error)
        return await self._made(thumbnails, asset, width, thumbnail)

    async def _read(self, thumbnail: Thumbnail) -> bytes:
        chunks = self._services.storage.read(thumbnail.key, 0, thumbnail.size, sha256=thumbnail.sha256)
        return b"".join([chunk async for chunk in chunks])

    async def _made(
        self, thumbnails: Thumbnails, asset: Asset, width: ThumbnailWidth, lost: Thumbnail | None
    ) -> bytes:
        """Whoever asks may go away meanwhile; the others still get it."""
        self._check_failures(asset.content)
        making = (asset.content.key, width)
        task = self._making.get(making)
        if task is None:
            if len(self._making) >= MOST_WAITING:
                raise ThumbnailsBusy(f"{len(self._making)} others wait to be made")
            task = self._making[making] = asyncio.create_task(self._make(thumbnails, asset, width, lost))
            task.add_done_callback(lambda done: self._ended(making, done))
        return await asyncio.shield(task)

    def _ended(self, making: _Making, task: asyncio.Task[bytes]) -> None:
        del self._making[making]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, NoThumbnail):
            self._failures[making[0]] = (self._services.now() + FAILURE_LASTS, error.why)
            self._failures.move_to_end(making[0])
            if len(self._failures) > _MOST_FAILURES:
                self._failures.popitem(last=False)

    def _check_failures(self, content: Content) -> None:
        until, why = self._failures.get(content.key, (None, ""))
        if until is None:
            return
        if self._services.now() < until:
            raise NoThumbnail(why)
        del self._failures[content.key]

    async def _make(
        self, thumbnails: Thumbnails, asset: Asset, width: ThumbnailWidth, lost: Thumbnail | None
    ) -> bytes:
        storage, content = self._services.storage, asset.content
        async with self._room:
            chunks = storage.read(content.key, 0, content.size, sha256=content.sha256)
            async with storage.spool(chunks, limit_bytes=content.size) as spooled:
                webp = await thumbnails.maker.make(spooled.path, content.media_type, width)
        try:
            await self._keep(thumbnails, asset, width, webp, lost)
        except Unavailable as error:
            _log.warning("a thumbnail of the asset %s is not stored: %s", asset.id, error)
        return webp

    async def _keep(
        self,
        thumbnails: Thumbnails,
        asset: Asset,
        width: ThumbnailWidth,
        webp: bytes,
        lost: Thumbnail | None,
    ) -> None:
        """Store it, unless another process was first, or the asset is gone: then its bytes go at once."""
        services = self._services
        key = thumbnail_key(asset.content.key, width, services.new_id())

        async def expect(_: str, size: int) -> str:
            return await services.retention.expect(key, size)

        content = await services.storage.keep(webp, noting=expect)
        thumbnail = Thumbnail(asset.content.key, width, content.key, content.size, content.sha256)
        if not await thumbnails.store.add(thumbnail, asset.id, replacing=lost):
            await services.storage.remove([content.key])
        elif lost is not None:
            await services.storage.remove([lost.key])

    async def close(self) -> None:
        """Make nothing more."""
        tasks = tuple(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
