import errno
import os
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore

from genpulse.adapters.storage.errors import disk_errors, object_errors, source_errors
from genpulse.domain.errors import StorageFull, StorageLost, StorageUnavailable


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


@pytest.mark.parametrize(
    "number", [errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ELOOP, errno.EIO, errno.ENAMETOOLONG]
)
def test_a_file_of_somebody_else_that_cannot_be_read_never_can(number: int) -> None:
    with pytest.raises(StorageLost, match="'a file' cannot be read"), source_errors("a file"):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN])
def test_what_a_process_lacks_says_nothing_about_a_file(number: int) -> None:
    with pytest.raises(StorageUnavailable), source_errors("a file"):
        raise OSError(number, os.strerror(number))


def test_a_name_that_no_log_can_take() -> None:
    with pytest.raises(StorageLost) as raised, source_errors("\udcff\n" + "x" * 5000):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert len(str(raised.value).encode()) < 500
