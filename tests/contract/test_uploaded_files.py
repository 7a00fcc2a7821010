"""What every store of what callers said of their files does."""

import pytest
import uuid_utils.compat

from genpulse.adapters.database.assets.uploaded_files import PostgresUploadedFiles
from genpulse.adapters.memory.assets.uploaded_files import MemoryUploadedFiles
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.assets.uploaded_file import UploadedFile, UploadedFileQuery
from genpulse.ports import UploadedFileStore
from tests.contract.conftest import now
from tests.contract.test_deletions import Place, place

__all__ = ["place"]


@pytest.fixture
def files(place: Place) -> UploadedFileStore:
    store = place.backend.store
    return MemoryUploadedFiles(store) if isinstance(store, MemoryTaskStore) else PostgresUploadedFiles(store._pool)


def said_of(owner: str = "", name: str = "fox.png") -> UploadedFile:
    content = Content("assets/2030-W05/aa/" + "a" * 64, "a" * 64, 5, "image/png", 3, 4)
    asset = Asset(uuid_utils.compat.uuid7(), content, now(), "dev", owner=owner)
    return UploadedFile(asset, name, "image/x-png", "0" * 32, {"a": [1, {"b": "ü"}]})


async def kept(place: Place, files: UploadedFileStore, file: UploadedFile) -> UploadedFile:
    await place.backend.store.add_asset(file.asset)
    await files.add(file)
    return file


async def test_what_was_said_is_kept(place, files):
    file = await kept(place, files, said_of())
    assert await files.get(file.asset.id) == file
    assert await files.get(uuid_utils.compat.uuid7()) is None


async def test_what_was_said_first_stays(place, files):
    file = await kept(place, files, said_of())
    await files.add(UploadedFile(file.asset, "other", "text/plain", "1" * 32, {}))
    assert await files.get(file.asset.id) == file


async def test_pages_are_of_one_owner_and_newest_first(place, files):
    mine = [await kept(place, files, said_of("mine", f"{count}.png")) for count in range(3)]
    other = await kept(place, files, said_of("other"))
    assert await files.find(UploadedFileQuery("mine")) == tuple(reversed(mine))
    assert await files.find(UploadedFileQuery("mine", 2)) == (mine[2], mine[1])
    assert await files.find(UploadedFileQuery("mine", 2, mine[1].asset.id)) == (mine[0],)
    assert await files.find(UploadedFileQuery(limit=1)) == (other,)


async def test_nothing_is_told_of_an_asset_that_is_gone(place, files):
    file = await kept(place, files, said_of())
    never = said_of()
    await files.add(never)
    assert await files.get(never.asset.id) is None
    await place.deletions.delete_asset(file.asset.id, owner=None)
    assert await files.get(file.asset.id) is None
    assert await files.find(UploadedFileQuery()) == ()
    await files.add(file)
    assert await files.find(UploadedFileQuery()) == ()
