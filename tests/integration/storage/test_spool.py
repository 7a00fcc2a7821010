import hashlib
import os
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest

from genpulse.adapters.storage.disk.spool import spool
from genpulse.adapters.storage.disk.spool_folder import SpoolFolder
from genpulse.domain.errors import ContentTooLarge, StorageLost, StorageUnavailable


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def test_all_of_it_is_in_the_file_before_the_file_goes(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    document = os.urandom(3_000_000)
    with spool_file_in(tmp_path / "made" / "here") as file:
        spooled = await spool(document, file, None, threads)
        assert spooled.path.read_bytes() == document
        assert (spooled.sha256, spooled.size) == (hashlib.sha256(document).hexdigest(), 3_000_000)
    assert not spooled.path.exists()


async def test_too_much_is_not_even_written(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with spool_file_in(tmp_path) as file:
        with pytest.raises(ContentTooLarge):
            await spool(bytes(5_000_000), file, 4_999_999, threads)
        assert Path(file.name).stat().st_size == 0


def spool_file_in(folder: Path) -> AbstractContextManager[IO[bytes]]:
    return SpoolFolder(folder, "tests").file()


def missing(folder: Path) -> Path:
    return folder / "nothing-here"


def directory(folder: Path) -> Path:
    (folder / "frames").mkdir()
    return folder / "frames"


def pipe(folder: Path) -> Path:
    """Nobody ever writes to it."""
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def dangling(folder: Path) -> Path:
    (folder / "link").symlink_to(folder / "gone")
    return folder / "link"


def circle(folder: Path) -> Path:
    (folder / "circle").symlink_to(folder / "circle")
    return folder / "circle"


def below_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "below"


def unreadable(folder: Path) -> Path:
    (folder / "secret").touch(mode=0o000)
    if os.access(folder / "secret", os.R_OK):
        return Path("/proc/self/mem")  # root reads what it likes, but for this
    return folder / "secret"


def no_name(folder: Path) -> Path:
    return folder / "nul\0"


def too_long(folder: Path) -> Path:
    return folder / ("x" * 300)


def device(_folder: Path) -> Path:
    return Path("/dev/zero")


ODD = [missing, directory, pipe, dangling, circle, below_a_file, unreadable, no_name, too_long, device]


@pytest.mark.parametrize("odd", ODD)
async def test_a_file_that_cannot_be_read_is_not_waited_for(
    tmp_path: Path, threads: ThreadPoolExecutor, odd: Callable[[Path], Path]
) -> None:
    source = odd(tmp_path)
    with spool_file_in(tmp_path / "spool") as file, pytest.raises(StorageLost, match="cannot be read") as raised:
        await spool(source, file, None, threads)
    assert str(tmp_path) not in str(raised.value)
    str(raised.value).encode()


async def test_a_process_with_too_many_open_files_waits(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    (tmp_path / "source").write_bytes(b"x")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with spool_file_in(tmp_path) as file:
        await spool(b"warm", file, None, threads)
        resource.setrlimit(resource.RLIMIT_NOFILE, (file.fileno(), before[1]))
        try:
            with pytest.raises(StorageUnavailable, match="Too many open files"):
                await spool(tmp_path / "source", file, None, threads)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match="open a spool file"), spool_file_in(tmp_path / "file" / "below"):
        pass
