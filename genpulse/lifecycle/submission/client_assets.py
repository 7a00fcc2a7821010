"""Which assets a caller may look at, and name in an input: by a client token those of its tasks and uploads."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from uuid import UUID

from genpulse.domain.assets.asset import Asset
from genpulse.domain.errors import UnknownAsset, UnknownTask
from genpulse.domain.keys.caller import Caller
from genpulse.ports import Services

MOST_NAMED = 64
"""Of more files in one input those that come last are not there for a client token."""


async def sees_asset(services: Services, caller: Caller, asset: Asset) -> bool:
    """Whether this asset is visible to this caller. Raises `DatabaseUnavailable`, `UnknownClientToken`."""
    if caller.token is None:
        return caller.sees(asset.owner)
    if asset.task_id is not None:
        try:
            return caller.sees_task(await services.store.get(asset.task_id))
        except UnknownTask:
            return False
    token = await services.keys.client_tokens.get(caller.token.id)
    return replace(caller, token=token).sees_upload(asset.id, asset.owner)


async def assets_seen(services: Services, caller: Caller, owners: Mapping[UUID, str]) -> frozenset[UUID]:
    """Those of these assets that the caller may name, each with its owner. Raises as `sees_asset`."""
    if caller.token is None:
        return frozenset(one for one, owner in owners.items() if caller.owner in {"", owner})
    seen = set()
    for asset_id in islice(owners, MOST_NAMED):
        try:
            asset = await services.store.asset(asset_id)
        except UnknownAsset:
            continue
        if await sees_asset(services, caller, asset):
            seen.add(asset_id)
    return frozenset(seen)
