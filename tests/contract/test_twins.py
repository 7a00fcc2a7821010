"""How the same content is found again that lies under an id."""

from dataclasses import replace
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse.domain.assets.asset import Asset, Content, key_of, staged_key
from tests.contract.conftest import now
from tests.contract.test_deletions import Place, place

__all__ = ["place"]

SHA = "ab" * 32


def content(key="", *, sha256=SHA, size=9):
    return Content(key or staged_key(uuid_utils.compat.uuid7(), now()), sha256, size, "video/mp4", 3, 4, 5.5)


def asset(of: Content, environment="dev") -> Asset:
    return Asset(uuid_utils.compat.uuid7(), of, now(), environment)


async def test_the_content_of_another_asset_is_found(place: Place) -> None:
    kept = asset(content())
    await place.backend.store.add_asset(kept)
    assert await place.backend.store.twin_of(content(), "dev") == kept.content


async def test_none_is_its_own_twin(place: Place) -> None:
    kept = asset(content())
    await place.backend.store.add_asset(kept)
    assert await place.backend.store.twin_of(kept.content, "dev") is None


@pytest.mark.parametrize(
    "other",
    [
        {"sha256": "cd" * 32},
        {"size": 10},
        {"key": "assets/2030-W05/id/" + "0" * 32},
        {"key": key_of(SHA, now())},
    ],
)
async def test_what_differs_is_no_twin(place: Place, other) -> None:
    await place.backend.store.add_asset(asset(content(**other)))
    assert await place.backend.store.twin_of(content(), "dev") is None


async def test_neither_is_one_of_another_environment(place: Place) -> None:
    await place.backend.store.add_asset(asset(content(), "test"))
    assert await place.backend.store.twin_of(content(), "dev") is None


async def test_nor_one_that_was_deleted(place: Place) -> None:
    kept = asset(content())
    await place.backend.store.add_asset(kept)
    await place.deletions.delete_asset(kept.id, owner=None)
    assert await place.backend.store.twin_of(content(), "dev") is None


async def test_the_oldest_is_taken(place: Place) -> None:
    first = asset(content())
    await place.backend.store.add_asset(first)
    await place.backend.store.add_asset(replace(asset(content()), id=UUID(int=1)))
    assert await place.backend.store.twin_of(content(), "dev") == first.content
