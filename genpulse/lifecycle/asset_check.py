"""Assets whose bytes the storage has not got, as after a restore of the database alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.domain.assets.asset import Asset
from genpulse.domain.errors import StorageLost
from genpulse.ports import Storage

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class LostAsset:
    """An asset that is shown and cannot be fetched, and why."""

    asset: Asset
    why: str


async def lost_among(storage: Storage, assets: Sequence[Asset], *, whole: bool = False) -> tuple[LostAsset, ...]:
    """Ask the storage for the last byte of each; with `whole` all of them are read and compared by their hash.

    Raises `StorageUnavailable`: one that is away has lost nothing.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def why(asset: Asset) -> str:
        async with room:
            return await _why_lost(storage, asset, whole=whole)

    questions = [asyncio.create_task(why(asset)) for asset in assets]
    try:
        reasons = await asyncio.gather(*questions)
    finally:
        for task in questions:
            task.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
    return tuple(LostAsset(asset, reason) for asset, reason in zip(assets, reasons, strict=True) if reason)


async def _why_lost(storage: Storage, asset: Asset, *, whole: bool) -> str:
    content = asset.content
    start = 0 if whole else max(content.size - 1, 0)
    try:
        async for _ in storage.read(content.key, start, content.size, sha256=content.sha256 if whole else ""):
            pass
    except StorageLost as error:
        return str(error)
    return ""
