"""Uploading a file."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.assets.asset import Asset, Received, Spooled
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.errors import AssetExists, BytesErased, ContentTooLarge, UnknownAsset, UploadAddressUsed
from genpulse.lifecycle.content_twin import keep
from genpulse.ports import Services


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The asset; `replayed` where the same bytes were brought before by the same grant."""

    asset: Asset
    replayed: bool = False


async def upload(services: Services, chunks: AsyncIterator[bytes], *, limit_bytes: int, owner: str = "") -> Asset:
    """Store the bytes while they come, then add the asset. Bytes without an asset are removed later.

    Raises `ContentTooLarge`, `StorageUnavailable`, `DatabaseUnavailable`, and what the iterator raises.
    """
    expect = services.retention.expect
    async with services.storage.receive(chunks, limit_bytes=limit_bytes, noting=expect) as received:
        return await _kept(services, received, services.new_id(), owner)


async def keep_spooled(services: Services, spooled: Spooled, asset_id: UUID, owner: str) -> Asset:
    """Keep a file on the local disk as the asset of this id, which may be there already with the same bytes.

    Raises `UploadAddressUsed` where other bytes have the id, or the asset was deleted; `StorageUnavailable`,
    `DatabaseUnavailable`.
    """
    try:
        return await _kept(services, spooled, asset_id, owner)
    except AssetExists:
        try:
            return _same(await services.store.asset(asset_id), spooled).asset
        except UnknownAsset:
            raise UploadAddressUsed(asset_id) from None


async def upload_granted(
    services: Services,
    grant: UploadGrant,
    chunks: AsyncIterator[bytes],
    *,
    limit_bytes: int,
    still_granted: Callable[[], Awaitable[object]],
) -> Uploaded:
    """The same by a grant. It makes one asset: the same bytes once more give that, others are refused.

    A file may take hours to come, so that `still_granted` is asked once it is there, and raises where it is not.
    Raises as `upload`, and `UploadNotTaken`, `UploadAddressUsed`.
    """
    earlier = await _earlier(services, grant)
    if earlier is not None:
        return await _replayed(services, earlier, chunks)
    limit_bytes, expect = min(limit_bytes, grant.max_bytes), services.retention.expect
    async with services.storage.receive(chunks, limit_bytes=limit_bytes, noting=expect) as received:
        grant.check_type(await services.storage.media_type(received))
        await still_granted()
        try:
            return Uploaded(await _kept(services, received, grant.asset_id, grant.owner))
        except AssetExists:  # by somebody else in this very moment, or long ago and deleted since
            earlier = await _earlier(services, grant)
            if earlier is None:
                raise UploadAddressUsed(grant.asset_id) from None
            return _same(earlier, received)


async def _earlier(services: Services, grant: UploadGrant) -> Asset | None:
    try:
        return await services.store.asset(grant.asset_id)
    except UnknownAsset:
        return None


async def _replayed(services: Services, earlier: Asset, chunks: AsyncIterator[bytes]) -> Uploaded:
    """Of other bytes no more is read than the earlier ones were."""
    try:
        async with services.storage.spool(chunks, limit_bytes=earlier.content.size) as spooled:
            return _same(earlier, spooled)
    except ContentTooLarge:
        raise UploadAddressUsed(earlier.id) from None


def _same(earlier: Asset, received: Received) -> Uploaded:
    if received.sha256 != earlier.content.sha256:
        raise UploadAddressUsed(earlier.id)
    return Uploaded(earlier, replayed=True)


async def _kept(services: Services, received: Received, asset_id: UUID, owner: str) -> Asset:
    """Raises `AssetExists` where the id is another asset's."""
    while True:
        content = await keep(services, received, services.retention.expect)
        asset = Asset(
            id=asset_id,
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
