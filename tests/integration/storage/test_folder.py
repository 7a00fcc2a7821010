import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from obstore import list as listed
from obstore.store import LocalStore

from genpulse.adapters.storage.disk.folder import put_file

OTHER_DISK = Path("/dev/shm")
ROOT = Path(__file__).parents[3]


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


PROGRAM = """
import asyncio, sys
from pathlib import Path
from genpulse.adapters.storage.objects import ObjectStorage

async def main(url, spool_dir, times):
    storage = ObjectStorage(url, spool_dir=Path(spool_dir))
    for _ in range(int(times)):
        print((await storage.keep(b"hello")).key)
        print("kept", file=sys.stderr, flush=True)
    await storage.close()

asyncio.run(main(*sys.argv[1:]))
"""
_SYNC = re.compile(r"f(?:data)?sync\(\d+<(.+?)>\)\s+= 0")
_RENAME = re.compile(r'rename(?:at2?)?\((?:AT_FDCWD(?:<.*?>)?, )?"(.+?)", (?:AT_FDCWD(?:<.*?>)?, )?"(.+?)"')


def calls(tmp_path, spool_dir, times=1):
    """What a process asks of the system to keep one content so many times: `(what, path, …)`, in order."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True).returncode:
        pytest.skip("the calls of a process cannot be watched here")
    trace = tmp_path / "trace"
    watched = [
        strace,
        "-f",
        "-y",
        "-s",
        "500",
        "-e",
        "trace=fsync,fdatasync,rename,renameat,renameat2",
        "-o",
        trace,
    ]
    program = [sys.executable, "-c", PROGRAM, (tmp_path / "store").as_uri(), spool_dir, str(times)]
    done = subprocess.run([*watched, *program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    found = []
    for line in trace.read_text().splitlines():
        if sync := _SYNC.search(line):
            found.append(("sync", sync[1]))
        elif renamed := _RENAME.search(line):
            found.append(("rename", renamed[1], renamed[2]))
    return done.stdout.split()[0], found


@pytest.mark.parametrize("disk", ["the same disk", "another disk"])
def test_bytes_reach_the_disk_before_their_name_and_their_name_before_anybody_is_told(tmp_path, disk):
    spool_dir = tmp_path / "spool" if disk == "the same disk" else OTHER_DISK / f"genpulse-spool-{os.getpid()}"
    if disk == "another disk" and not OTHER_DISK.is_dir():
        pytest.skip("there is one disk here")
    key, found = calls(tmp_path, spool_dir)
    target = tmp_path / "store" / key
    renames = [call for call in found if call[0] == "rename" and call[2] == str(target)]
    assert len(renames) == 1
    staged, at = renames[0][1], found.index(renames[0])
    assert ("sync", staged) in found[:at]
    folders = [("sync", str(folder)) for folder in target.parents if folder.is_relative_to(tmp_path / "store")]
    assert len(folders) == 4
    assert set(folders) <= set(found[at + 1 :])
    if disk == "another disk":
        shutil.rmtree(spool_dir)


def test_content_that_somebody_has_just_put_reaches_the_disk_before_it_is_trusted(tmp_path):
    key, _ = calls(tmp_path, tmp_path / "spool")
    again, found = calls(tmp_path, tmp_path / "spool")
    target = tmp_path / "store" / key
    assert again == key
    assert not [call for call in found if call[0] == "rename" and call[2] == str(target)]
    expected = [target, *(folder for folder in target.parents if folder.is_relative_to(tmp_path / "store"))]
    assert {("sync", str(path)) for path in expected} <= set(found)
