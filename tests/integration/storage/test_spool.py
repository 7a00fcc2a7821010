import hashlib
import os
from pathlib import Path

import pytest

from genpulse.adapters.storage.spool import spool, spool_file
from genpulse.domain.errors import ContentTooLarge, StorageUnavailable


async def test_all_of_it_is_in_the_file_before_the_file_goes(tmp_path: Path) -> None:
    document = os.urandom(3_000_000)
    with spool_file(tmp_path / "made" / "here") as file:
        spooled = await spool(document, file, None)
        assert spooled.path.read_bytes() == document
        assert (spooled.sha256, spooled.size) == (hashlib.sha256(document).hexdigest(), 3_000_000)
    assert not spooled.path.exists()


async def test_too_much_is_not_even_written(tmp_path: Path) -> None:
    with spool_file(tmp_path) as file:
        with pytest.raises(ContentTooLarge):
            await spool(bytes(5_000_000), file, 4_999_999)
        assert Path(file.name).stat().st_size == 0


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with spool_file(tmp_path) as file, pytest.raises(StorageUnavailable, match="open nothing-here"):
        await spool(tmp_path / "nothing-here", file, None)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match="open a spool file"), spool_file(tmp_path / "file" / "below"):
        pass
