import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from obstore import list as listed
from obstore.store import LocalStore

from genpulse.adapters.storage.folder import put_file

OTHER_DISK = Path("/dev/shm")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture(params=["the same disk", "another disk"])
def source(request, tmp_path):
    if request.param == "the same disk":
        file = tmp_path / "spooled"
    elif OTHER_DISK.is_dir() and OTHER_DISK.stat().st_dev != tmp_path.stat().st_dev:
        file = OTHER_DISK / f"genpulse-test-{os.getpid()}"
    else:
        pytest.skip("there is one disk here")
    file.write_bytes(b"fox" * 100_000)
    file.chmod(0o600)
    yield file
    file.unlink(missing_ok=True)


def test_a_file_is_there_as_a_whole_and_as_readable_as_its_folder(root, source):
    put_file(root, "2026/47/abc", source)
    source.unlink()
    kept = root / "2026/47/abc"
    assert kept.read_bytes() == b"fox" * 100_000
    assert kept.stat().st_mode & 0o777 == 0o644
    assert kept.stat().st_nlink == 1


def test_the_same_key_twice_is_the_newer_file(root, source, tmp_path):
    (tmp_path / "other").write_bytes(b"owl")
    put_file(root, "abc", source)
    put_file(root, "abc", tmp_path / "other")
    assert (root / "abc").read_bytes() == b"owl"
    assert [path.name for path in root.iterdir()] == ["abc"]


def test_a_failure_leaves_nothing(root, source):
    (root / "abc").mkdir()
    (root / "abc" / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        put_file(root, "abc", source)
    assert [path.name for path in root.iterdir()] == ["abc"]


def test_what_is_being_written_is_in_no_list(root, source):
    (root / "abc#123").write_bytes(b"half")
    put_file(root, "abc", source)
    names = [item["path"] for page in listed(LocalStore(root)) for item in page]
    assert names == ["abc"]


def test_folders_that_are_removed_meanwhile_are_made_again(root, source):
    stop = threading.Event()

    def remove():
        while not stop.is_set():
            with suppress(OSError):
                (root / "week").rmdir()
            time.sleep(0.0005)

    remover = threading.Thread(target=remove)
    remover.start()
    try:
        for number in range(200):
            put_file(root, f"week/{number}", source)
            (root / f"week/{number}").unlink()
    finally:
        stop.set()
        remover.join()
