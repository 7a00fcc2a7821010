import errno
import os
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore

from genpulse.adapters.storage.errors import disk_errors, object_errors
from genpulse.domain.errors import StorageFull, StorageUnavailable


def test_a_full_disk() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(StorageFull, match="no space left to write the tape"),
        disk_errors("write the tape"),
    ):
        full.write(b"x")


def test_any_other_fault_of_the_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageUnavailable, match="not possible to read it: Is a directory"),
        disk_errors("read it"),
    ):
        tmp_path.read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_all_ways_of_being_full(number: int) -> None:
    with pytest.raises(StorageFull), object_errors():
        raise OSError(number, os.strerror(number))


def test_what_the_store_says_about_its_folders_is_not_passed_on(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "secret-folder", mkdir=True)
    (tmp_path / "secret-folder" / "file").write_bytes(b"")
    for key in ("nothing", "file/below"):
        with pytest.raises(StorageUnavailable) as raised, object_errors():
            obstore.get(store, key)
        assert "secret-folder" not in str(raised.value)
        assert raised.value.__cause__ is not None
