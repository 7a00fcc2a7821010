"""Keeping content once: what came in under an id of its own may lie in the storage already."""

from pathlib import Path

from genpulse.domain.assets.asset import Content, Received, Staged, week_of_keys
from genpulse.domain.errors import StorageLost, StorageUnavailable
from genpulse.ports import Noting, Services


async def keep(
    services: Services, content: bytes | Path | Received, noting: Noting, *, limit_bytes: int | None = None
) -> Content:
    """Keep content, or find that an asset of this week has the same. Raises as `Storage.keep` does.

    Content under its digest finds itself. That of a long stream lies under an id, and its digest is looked for
    among assets: what they have is relied on once it was noted and read, and the new bytes go with their stream.
    """
    if isinstance(content, Staged):
        twin = await _twin(services, content.content, noting)
        if twin is not None:
            return twin
    return await services.storage.keep(content, limit_bytes=limit_bytes, noting=noting)


async def _twin(services: Services, content: Content, noting: Noting) -> Content | None:
    """The same content of an asset, whole and undamaged. Nobody looks for content of an earlier week (ADR 11)."""
    if not content.key.startswith(week_of_keys(services.now())):
        return None
    twin = await services.store.twin_of(content, services.environment.name)
    if twin is None or await noting(twin.key, twin.size) != twin.key:
        return None
    try:
        async for _ in services.storage.read(twin.key, 0, twin.size, sha256=twin.sha256):
            pass
    except (StorageLost, StorageUnavailable):
        return None
    return twin
