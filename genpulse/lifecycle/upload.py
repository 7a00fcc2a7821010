"""Uploading a file."""

from collections.abc import AsyncIterator

from genpulse.domain.asset import Asset
from genpulse.domain.errors import BytesErased
from genpulse.ports import Services


async def upload(services: Services, chunks: AsyncIterator[bytes], *, limit_bytes: int, owner: str = "") -> Asset:
    """Store the bytes as they come, then add the asset. Bytes without an asset are removed later.

    Raises `ContentTooLarge`, `StorageUnavailable`, `DatabaseUnavailable`, and what the iterator raises.
    """
    async with services.storage.spool(chunks, limit_bytes=limit_bytes) as spooled:
        while True:
            content = await services.storage.keep(spooled, noting=services.retention.expect)
            asset = Asset(
                id=services.new_id(),
                content=content,
                created_at=await services.store.now(),
                environment=services.environment.name,
                owner=owner,
            )
            try:
                await services.store.add_asset(asset)
            except BytesErased:
                continue  # the same content was deleted in this very moment
            return asset
