"""What commands do with all assets at once: database and storage alone."""

from collections.abc import AsyncIterator

from genpulse.adapters.database.assets.inventory import AssetInventory
from genpulse.configuration.settings import Settings
from genpulse.lifecycle.asset_check import LostAsset as LostAsset
from genpulse.lifecycle.asset_check import lost_among
from genpulse.wiring.connections import pool_of
from genpulse.wiring.storage import asset_storage


async def checked_assets(settings: Settings, *, whole: bool) -> AsyncIterator[tuple[int, tuple[LostAsset, ...]]]:
    """Go through all assets: yields how many more were looked at, and which of them have no bytes.

    Raises `DatabaseUnavailable`, `StorageUnavailable`.
    """
    pool, storage = await pool_of(settings, "assets"), asset_storage(settings)
    try:
        inventory = AssetInventory(pool)
        async for page in inventory.pages():
            lost = await lost_among(storage, page, whole=whole)
            there = await inventory.still_there([each.asset.id for each in lost]) if lost else frozenset()
            yield len(page), tuple(each for each in lost if each.asset.id in there)
    finally:
        await storage.close()
        await pool.close()
