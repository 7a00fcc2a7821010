"""Files that need not be compared with their digest once more."""

import asyncio
import hashlib
import os
from dataclasses import replace

import pytest

from genpulse.adapters.storage.disk.checked_files import CheckedFiles, identity_of
from genpulse.adapters.storage.objects import CHUNK, ObjectStorage
from genpulse.domain.errors import StorageLost

LARGE = os.urandom(CHUNK + 7)


@pytest.fixture(params=[b"fox", LARGE], ids=["small", "large"])
def body(request):
    return request.param


def opened(folder, tmp_path):
    return ObjectStorage(f"file://{folder}", spool_dir=tmp_path / "spool")


@pytest.fixture
async def stores(tmp_path):
    """Two processes with the same folder: what one has compared the other has not."""
    folder = tmp_path / "store"
    one, other = opened(folder, tmp_path), opened(folder, tmp_path)
    yield folder, one, other
    await one.close()
    await other.close()


async def whole(storage, content):
    chunks = storage.read(content.key, 0, content.size, sha256=content.sha256)
    return b"".join([chunk async for chunk in chunks])


async def bytes_of_file(storage, content):
    """What the file has that needs no comparison; None where there is none."""
    checked = await storage.checked_file(content)
    if checked is None:
        return None
    with checked.file:
        assert await checked.is_unchanged()
        return checked.file.read()


async def test_what_was_written_here_is_known(stores, body):
    _, one, other = stores
    content = await one.keep(body)
    assert await bytes_of_file(one, content) == body
    assert await bytes_of_file(other, content) is None


async def test_what_was_read_as_a_whole_is_known(stores, body):
    _, one, other = stores
    content = await one.keep(body)
    assert await whole(other, content) == body
    assert await bytes_of_file(other, content) == body


async def test_a_part_proves_nothing(stores):
    _, one, other = stores
    content = await one.keep(LARGE)
    assert b"".join([chunk async for chunk in other.read(content.key, 1, content.size)]) == LARGE[1:]
    assert await bytes_of_file(other, content) is None


async def test_what_somebody_writes_into_is_compared_again(stores, body):
    folder, one, _ = stores
    content = await one.keep(body)
    path = folder / content.key
    before = path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.write(bytes([body[0] ^ 1]))
    os.utime(path, ns=(before + 1, before + 1))
    assert await bytes_of_file(one, content) is None
    with pytest.raises(StorageLost, match="not those that were kept"):
        await whole(one, content)


async def test_what_is_written_into_while_it_is_open_is_told(stores, body):
    folder, one, _ = stores
    content = await one.keep(body)
    checked = await one.checked_file(content)
    with checked.file:
        await asyncio.sleep(0.05)  # the time of a file goes by steps
        (folder / content.key).write_bytes(body[::-1])
        assert not await checked.is_unchanged()


async def test_another_file_in_its_place_is_compared_again(stores, body):
    folder, one, _ = stores
    content = await one.keep(body)
    path = folder / content.key
    found = path.stat()
    swapped = path.with_name("swapped")
    swapped.write_bytes(body[::-1])
    os.utime(swapped, ns=(found.st_atime_ns, found.st_mtime_ns))
    swapped.replace(path)
    assert await bytes_of_file(one, content) is None


async def test_another_digest_is_not_what_was_compared(stores, body):
    _, one, _ = stores
    content = await one.keep(body)
    file = await one.checked_file(replace(content, sha256=hashlib.sha256(b"").hexdigest()))
    assert file is None


async def test_what_is_gone_is_no_file(stores, body):
    folder, one, _ = stores
    content = await one.keep(body)
    (folder / content.key).unlink()
    assert await one.checked_file(content) is None
    with pytest.raises(StorageLost, match="gone"):
        await whole(one, content)


async def test_memory_has_no_files(tmp_path, body):
    storage = ObjectStorage("memory:///", spool_dir=tmp_path)
    content = await storage.keep(body)
    assert await whole(storage, content) == body
    assert await storage.checked_file(content) is None
    await storage.close()


def test_after_an_hour_nothing_is_known(tmp_path):
    now = [0.0]
    checked = CheckedFiles(lambda: now[0])
    identity = identity_of(tmp_path)
    checked.note("key", "digest", identity)
    now[0] = 3599.0
    assert checked.holds("key", "digest", identity)
    now[0] = 3600.0
    assert not checked.holds("key", "digest", identity)


def test_a_few_thousand_are_known_and_the_oldest_is_forgotten(tmp_path):
    checked, identity = CheckedFiles(), identity_of(tmp_path)
    for number in range(5000):
        checked.note(str(number), "digest", identity)
    assert [checked.holds(str(number), "digest", identity) for number in (0, 903, 904, 4999)] == [
        False,
        False,
        True,
        True,
    ]


def takes_no_wait(folder):
    """Whether this file system reads only what is in memory where it is told to; some of the network do not."""
    (folder / "probe").write_bytes(b"x")
    descriptor = os.open(folder / "probe", os.O_RDONLY)
    try:
        return os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except OSError:
        return False
    finally:
        os.close(descriptor)


@pytest.fixture
async def without_threads(tmp_path):
    """Of a closed storage only that can be read which needs no thread."""
    if not takes_no_wait(tmp_path):
        pytest.skip("this file system always waits")

    async def closed(body):
        storage = opened(tmp_path / "store", tmp_path)
        content = await storage.keep(body)
        await storage.close()
        return storage, content

    return closed


@pytest.mark.parametrize("size", [1, 20_000, 64 << 10])
async def test_a_small_file_that_is_known_is_read_without_a_thread(without_threads, size):
    body = os.urandom(size)
    storage, content = await without_threads(body)
    assert await whole(storage, content) == body
    assert b"".join([chunk async for chunk in storage.read(content.key, 0, 1)]) == body[:1]


async def test_a_larger_one_is_not(without_threads):
    storage, content = await without_threads(bytes(1 + (64 << 10)))
    with pytest.raises(RuntimeError, match="after shutdown"):
        await whole(storage, content)


@pytest.mark.parametrize("harm", ["written into", "gone", "cut off"])
async def test_one_that_is_no_longer_the_same_is_not(without_threads, tmp_path, harm):
    storage, content = await without_threads(b"a fox")
    path = tmp_path / "store" / content.key
    before = path.stat().st_mtime_ns
    match harm:
        case "written into":
            path.write_bytes(b"a box")
            os.utime(path, ns=(before + 1, before + 1))
        case "gone":
            path.unlink()
        case "cut off":
            path.write_bytes(b"a f")
            os.utime(path, ns=(before, before))
    with pytest.raises(RuntimeError, match="after shutdown"):
        await whole(storage, content)
