"""What every storage does."""

import asyncio
import hashlib
import io
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from PIL import Image

from genpulse.adapters.memory.assets.thumbnails import MemoryThumbnails
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.adapters.thumbnails.program_maker import ProgramThumbnailMaker
from genpulse.dev.processes.child import Guard
from genpulse.domain.assets.asset import key_of
from genpulse.domain.assets.thumbnail import ThumbnailWidth
from genpulse.domain.errors import ContentTooLarge, DatabaseUnavailable, StorageLost, StorageUnavailable
from genpulse.lifecycle.removal.deletion import delete_asset
from genpulse.lifecycle.removal.erase import erase
from genpulse.lifecycle.thumbnails import ThumbnailShelf
from genpulse.lifecycle.upload import upload
from genpulse.ports import State, Storage, Thumbnails
from genpulse.testing.rig import memory_services
from tests.memory import peak
from tests.s3 import BUCKET, S3Server, s3_server

MIB = 1 << 20
MONDAY = datetime(2030, 1, 28, tzinfo=UTC)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.at = MONDAY

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture(scope="module")
def s3(guard: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3"), guard) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["file", "memory", "s3"])
async def storage(
    request: pytest.FixtureRequest, tmp_path: Path, spool_dir: Path, clock: Callable[[], datetime]
) -> AsyncIterator[ObjectStorage]:
    url, options = "memory:///", {}
    if request.param == "file":
        url = (tmp_path / "storage").as_uri()
    if request.param == "s3":
        url = f"s3://{BUCKET}/{tmp_path.name}"
        options = request.getfixturevalue("s3").options
    storage = ObjectStorage(url, spool_dir=spool_dir, options=options, now=clock)
    yield storage
    assert not files_below(spool_dir), "something was left behind"
    await storage.close()
    assert not list(spool_dir.glob("*")), "its folder was left behind"


async def read(storage: Storage, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in storage.read(key, start, end)])


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_bytes_come_back_as_they_were_kept(storage: Storage) -> None:
    content = await storage.keep("Grüße\n".encode())
    digest = hashlib.sha256("Grüße\n".encode()).hexdigest()
    assert (content.sha256, content.size, content.media_type) == (digest, 8, "text/plain")
    assert content.key == key_of(digest, MONDAY)
    assert await read(storage, content.key, 0, content.size) == "Grüße\n".encode()


async def test_bytes_a_file_and_a_stream_are_kept_alike(storage: Storage, tmp_path: Path) -> None:
    document = bytes(range(256)) * 10_000
    path = tmp_path / "document"
    path.write_bytes(document)
    kept = {
        await storage.keep(document),
        await storage.keep(path),
        await storage.keep(stream(document[:1], b"", document[1:5], document[5:])),
    }
    assert len(kept) == 1
    assert path.read_bytes() == document


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, 2 * MIB + 1, 9 * MIB + 7])
async def test_content_of_any_size(storage: Storage, size: int) -> None:
    document = hashlib.shake_128(b"seed").digest(1009) * (size // 1009 + 1)
    content = await storage.keep(stream(*(document[at : min(at + 70_001, size)] for at in range(0, size, 70_001))))
    assert content.size == size
    assert content.sha256 == hashlib.sha256(document[:size]).hexdigest()
    chunks = [chunk async for chunk in storage.read(content.key, 0, size)]
    assert b"".join(chunks) == document[:size]
    assert all(0 < len(chunk) <= 4 * MIB for chunk in chunks)


async def test_empty_content_has_no_known_type(storage: Storage) -> None:
    assert (await storage.keep(b"")).media_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, 0), (5, 9), (MIB - 1, MIB + 1), (2 * MIB, 3 * MIB), (7, 7)]
)
async def test_any_part_can_be_read(storage: Storage, start: int, end: int) -> None:
    document = hashlib.shake_128(b"part").digest(3 * MIB)
    content = await storage.keep(document)
    assert await read(storage, content.key, start, end) == document[start:end]


async def test_a_reader_may_stop_in_the_middle(storage: Storage) -> None:
    content = await storage.keep(bytes(3 * MIB))
    chunks = storage.read(content.key, 0, content.size)
    assert await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("limit", [0, 10, MIB])
async def test_what_is_as_large_as_the_limit_is_kept_and_one_byte_more_is_not(
    storage: Storage, limit: int
) -> None:
    assert (await storage.keep(bytes(limit), limit_bytes=limit)).size == limit
    for content in (bytes(limit + 1), stream(bytes(limit), b"x")):
        with pytest.raises(ContentTooLarge):
            await storage.keep(content, limit_bytes=limit)
    key = key_of(hashlib.sha256(bytes(limit + 1)).hexdigest(), MONDAY)
    with pytest.raises(StorageLost):
        await read(storage, key, 0, 1)


async def test_the_limit_ends_a_stream_that_never_would(storage: Storage) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"1234567890"

    with pytest.raises(ContentTooLarge):
        await storage.keep(endless(), limit_bytes=100)
    assert asked == 11


async def test_what_a_stream_raises_passes_through_and_nothing_is_kept(storage: Storage) -> None:
    class ClientGoneError(Exception):
        pass

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * MIB)
        raise ClientGoneError

    with pytest.raises(ClientGoneError):
        await storage.keep(broken())
    with pytest.raises(StorageUnavailable):
        await read(storage, key_of(hashlib.sha256(bytes(2 * MIB)).hexdigest(), MONDAY), 0, 1)


async def test_a_stream_that_is_canceled_leaves_nothing_behind(storage: Storage) -> None:
    reached = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield bytes(2 * MIB)
        reached.set()
        await asyncio.Event().wait()

    keeping = asyncio.create_task(storage.keep(stuck()))
    await reached.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_the_same_content_can_be_kept_at_once_and_again(storage: Storage) -> None:
    document = bytes(100_000)
    kept = await asyncio.gather(*(storage.keep(document) for _ in range(20)))
    assert set(kept) == {await storage.keep(document)}
    assert await read(storage, kept[0].key, 0, 100_000) == document


async def test_content_of_another_week_is_another_object(storage: Storage, clock: Clock) -> None:
    first = await storage.keep(b"document")
    clock.at = MONDAY + timedelta(days=7, microseconds=-1)
    assert (await storage.keep(b"document")).key == first.key
    clock.at = MONDAY + timedelta(days=7)
    later = await storage.keep(b"document")
    assert later.key != first.key
    await storage.remove([first.key])
    assert await read(storage, later.key, 0, 8) == b"document"


async def test_what_is_removed_is_gone_and_may_be_removed_again(storage: Storage) -> None:
    gone, other, kept = [await storage.keep(content) for content in (b"gone", b"other", b"kept")]
    await storage.remove([gone.key])
    with pytest.raises(StorageLost, match="gone"):
        await read(storage, gone.key, 0, 4)
    await storage.remove([gone.key, other.key, key_of("0" * 64, MONDAY)])
    with pytest.raises(StorageLost, match="gone"):
        await read(storage, other.key, 0, 5)
    await storage.remove([])
    assert await read(storage, kept.key, 0, 4) == b"kept"


async def test_what_was_removed_can_be_kept_again(storage: Storage) -> None:
    content = await storage.keep(b"document")
    await storage.remove([content.key])
    assert await storage.keep(b"document") == content
    assert await read(storage, content.key, 0, 8) == b"document"


async def test_a_thousand_objects_are_removed_at_once(storage: Storage) -> None:
    """Those that are gone already are no error. S3 takes a thousand in a request: the last is in a second one."""
    kept = [await storage.keep(str(number).encode()) for number in range(3)]
    gone = [key_of(f"{number:064x}", MONDAY) for number in range(998)]
    await storage.remove([kept[0].key, *gone[:499], kept[1].key, *gone[499:], kept[2].key])
    for content in kept:
        with pytest.raises(StorageLost, match="gone"):
            await read(storage, content.key, 0, content.size)


@pytest.mark.parametrize("key", [key_of("0" * 64, MONDAY), "assets", "assets/2030-W05", "nothing/at/all"])
async def test_content_that_is_gone_is_told_as_such(storage: Storage, key: str) -> None:
    await storage.keep(b"another one")
    with pytest.raises(StorageLost, match="gone"):
        await read(storage, key, 0, 10)


async def test_content_that_lies_below_other_content_is_gone(storage: Storage) -> None:
    content = await storage.keep(b"another one")
    with pytest.raises(StorageLost, match="gone"):
        await read(storage, f"{content.key}/below", 0, 10)


async def test_nothing_is_gone_for_ever_from_a_storage_that_holds_nothing_at_all(storage: Storage) -> None:
    """Its disk may not be mounted, or its bucket be another one."""
    with pytest.raises(StorageUnavailable, match="mounted"):
        await read(storage, key_of("0" * 64, MONDAY), 0, 10)


@pytest.mark.parametrize(("start", "end"), [(0, 10), (4, 6), (5, 6), (10, 20)])
async def test_content_that_is_shorter_than_it_should_be_is_told_as_such(
    storage: Storage, start: int, end: int
) -> None:
    content = await storage.keep(b"short")
    with pytest.raises(StorageLost, match="5 are left"):
        await read(storage, content.key, start, end)


async def test_content_that_is_empty_and_should_not_be_is_told_as_such(storage: Storage) -> None:
    content = await storage.keep(b"")
    assert await read(storage, content.key, 0, 0) == b""
    with pytest.raises(StorageLost, match="0 are left"):
        await read(storage, content.key, 0, 1)


async def test_a_file_that_is_not_there_is_not_waited_for(storage: Storage, tmp_path: Path) -> None:
    for source in (tmp_path / "nothing", tmp_path):
        with pytest.raises(StorageLost, match="cannot be read"):
            await storage.keep(source)


async def test_what_is_to_be_stored_is_noted_before_anything_lies_under_its_key(storage: Storage) -> None:
    await storage.keep(b"another one")
    noted: list[tuple[str, int]] = []

    async def note(key: str, size: int) -> str:
        noted.append((key, size))
        with pytest.raises(StorageLost):
            await read(storage, key, 0, size)
        return key

    content = await storage.keep(stream(b"doc", b"ument"), noting=note)
    assert noted == [(content.key, 8)]
    assert await read(storage, content.key, 0, 8) == b"document"


async def test_what_is_stored_already_is_noted_again(storage: Storage) -> None:
    noted: list[str] = []

    async def note(key: str, _size: int) -> str:
        noted.append(key)
        return key

    content = await storage.keep(b"document", noting=note)
    await storage.keep(b"document", noting=note)
    assert noted == [content.key, content.key]


async def test_it_is_stored_under_the_key_that_the_note_asks_for(storage: Storage) -> None:
    async def elsewhere(key: str, _size: int) -> str:
        return f"{key}-1"

    first = await storage.keep(b"document")
    second = await storage.keep(b"document", noting=elsewhere)
    assert second.key == f"{first.key}-1"
    await storage.remove([first.key])
    assert await read(storage, second.key, 0, 8) == b"document"


async def test_what_cannot_be_noted_is_not_stored(storage: Storage) -> None:
    await storage.keep(b"another one")

    async def refuse(_key: str, _size: int) -> str:
        raise DatabaseUnavailable("PostgreSQL does not answer.")

    with pytest.raises(DatabaseUnavailable):
        await storage.keep(b"document", noting=refuse)
    with pytest.raises(StorageLost):
        await read(storage, key_of(hashlib.sha256(b"document").hexdigest(), MONDAY), 0, 8)


async def test_nothing_waits_for_threads_that_others_keep_busy(storage: Storage, tmp_path: Path) -> None:
    """A loop has few threads for whoever asks: here all of them are held until the end."""
    (tmp_path / "file").write_bytes(b"file")
    held, free = threading.Semaphore(0), threading.Event()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as everybodys:
        loop.set_default_executor(everybodys)
        try:
            holding = loop.run_in_executor(None, lambda: (held.release(), free.wait()))
            held.acquire()
            async with asyncio.timeout(60):
                kept = [await storage.keep(what) for what in (b"bytes", tmp_path / "file", stream(b"stream"))]
                assert [await read(storage, content.key, 0, 4) for content in kept] == [b"byte", b"file", b"stre"]
                async with storage.spool(stream(b"spooled"), limit_bytes=10) as spooled:
                    assert spooled.path.read_bytes() == b"spooled"
                await storage.remove([kept[0].key])
            assert not holding.done()
        finally:
            free.set()
            loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


async def test_what_is_spooled_is_told_by_its_bytes(storage: Storage) -> None:
    for content, media_type in ((b"GIF89a" + bytes(26), "image/gif"), (b"\0\1", "application/octet-stream")):
        async with storage.spool(stream(content), limit_bytes=100) as spooled:
            assert await storage.media_type(spooled) == media_type


async def test_what_is_spooled_is_kept_as_it_lies_there(storage: Storage, spool_dir: Path) -> None:
    async with storage.spool(stream(b"spo", b"oled"), limit_bytes=10) as spooled:
        before = files_below(spool_dir)
        assert (spooled.sha256, spooled.size) == (hashlib.sha256(b"spooled").hexdigest(), 7)
        seen: list[list[Path]] = []

        async def look(key: str, _size: int) -> str:
            seen.append(files_below(spool_dir))
            return key

        kept = [await storage.keep(spooled, noting=look) for _ in range(2)]
        assert seen == [before, before], "a second file was written"
        assert kept[0] == kept[1]
        assert kept[0].sha256 == spooled.sha256
        assert await read(storage, kept[0].key, 0, 7) == b"spooled"
        with pytest.raises(ContentTooLarge):
            await storage.keep(spooled, limit_bytes=6)
        spooled.path.unlink()
        with pytest.raises(StorageLost):
            await storage.keep(spooled)


async def test_the_event_loop_goes_on_while_much_is_kept(storage: Storage) -> None:
    """Longer than another thread of this process, which waits as long for a busy machine."""
    over = threading.Event()
    of_loop, of_thread = [0.0], [0.0]

    async def watch() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0)
            of_loop.append(time.monotonic() - began)

    def control() -> None:
        while not over.is_set():
            began = time.monotonic()
            time.sleep(0.001)
            of_thread.append(time.monotonic() - began)

    controlling = threading.Thread(target=control)
    controlling.start()
    watching = asyncio.create_task(watch())
    try:
        content = await storage.keep(bytes(64 * MIB))
        async for _ in storage.read(content.key, 0, content.size):
            pass
    finally:
        watching.cancel()
        over.set()
        controlling.join()
    assert max(of_loop) - max(of_thread) < 0.5


async def test_the_probe_finds_the_storage(storage: ObjectStorage) -> None:
    for _ in range(2):
        health = await storage.probe()
        assert (health.name, health.state) == ("storage", State.OK)


@pytest.mark.xdist_group("s3")
@pytest.mark.parametrize("algorithm", ["sha256", "crc64nvme"])
async def test_a_store_compares_what_it_keeps_with_checksums(s3: S3Server, tmp_path: Path, algorithm: str) -> None:
    options = {**s3.options, "checksum_algorithm": algorithm}
    storage = ObjectStorage(f"s3://{BUCKET}/{tmp_path.name}", spool_dir=tmp_path, options=options)
    for document in (b"", b"little", bytes(7 * MIB)):
        content = await storage.keep(document)
        assert await read(storage, content.key, 0, content.size) == document
    await storage.close()


@pytest.mark.parametrize("size", [1, 9 * MIB + 7])
async def test_other_bytes_than_those_that_were_kept_are_told_before_the_last_of_them(
    storage: Storage, size: int
) -> None:
    content = await storage.keep(bytes(size))
    chunks = [chunk async for chunk in storage.read(content.key, 0, size, sha256=content.sha256)]
    assert b"".join(chunks) == bytes(size)
    came: list[bytes] = []

    async def take() -> None:
        async for chunk in storage.read(content.key, 0, size, sha256=hashlib.sha256(b"others").hexdigest()):
            came.append(chunk)  # noqa: PERF401 - it raises in the middle

    with pytest.raises(StorageLost, match="not those that were kept"):
        await take()
    assert sum(map(len, came)) < size


async def test_thumbnails_leave_nothing_behind_when_their_asset_is_deleted(storage: ObjectStorage) -> None:
    async with memory_services() as services:
        services = replace(services, storage=storage)
        maker = ProgramThumbnailMaker()
        shelf = ThumbnailShelf(replace(services, thumbnails=Thumbnails(MemoryThumbnails(services.store), maker)))
        await storage.keep(b"something else")
        before = keys_in(storage)
        Image.new("RGB", (400, 200), "red").save(picture := io.BytesIO(), "PNG")
        assets = [await upload(services, stream(picture.getvalue()), limit_bytes=MIB) for _ in range(2)]
        made = [await shelf.get(assets[0], width) for width in (ThumbnailWidth.W64, ThumbnailWidth.W320)]
        assert await shelf.get(assets[1], ThumbnailWidth.W64) == made[0]
        assert len(keys_in(storage) - before) == 3
        for asset, left in zip(assets, (3, 0), strict=True):
            await delete_asset(services, asset.id, None)
            await erase(services)
            assert len(keys_in(storage) - before) == left
        await maker.close()


def keys_in(storage: ObjectStorage) -> set[str]:
    return {entry["path"] for page in obstore.list(storage._bucket._store) for entry in page}


async def as_noted(key: str, _size: int) -> str:
    return key


@pytest.mark.parametrize("size", [0, 7, 5 * MIB, 5 * MIB + 1, 12 * MIB])
async def test_what_is_received_can_be_kept_more_than_once(storage: ObjectStorage, size: int) -> None:
    body = hashlib.shake_128(b"seed").digest(size)
    pieces = stream(*(body[at : at + 70_001] for at in range(0, size, 70_001)))
    async with storage.receive(pieces, limit_bytes=size, noting=as_noted) as received:
        assert (received.sha256, received.size) == (hashlib.sha256(body).hexdigest(), size)
        kept = {await storage.keep(received, noting=as_noted) for _ in range(2)}
    (content,) = kept
    assert await read(storage, content.key, 0, size) == body


async def test_a_long_stream_goes_to_s3_in_little_memory_and_not_through_the_disk(
    s3: S3Server, tmp_path: Path
) -> None:
    storage = ObjectStorage(f"s3://{BUCKET}/{tmp_path.name}", spool_dir=tmp_path / "spool", options=s3.options)
    piece, count = os.urandom(MIB), 100

    async def video() -> AsyncIterator[bytes]:
        for number in range(count):
            for start in range(0, MIB, 1 << 16):
                yield number.to_bytes(4, "big") + piece[start + 4 : start + (1 << 16)]

    await storage.keep(piece)
    with peak() as memory:
        async with storage.receive(video(), limit_bytes=1 << 30, noting=as_noted) as received:
            content = await storage.keep(received)
            assert not (tmp_path / "spool").exists()
    assert content.size == count * MIB
    assert memory.stays_below(32), memory
    async for _ in storage.read(content.key, 0, content.size, sha256=content.sha256):
        pass
    await storage.close()


async def test_uploads_to_s3_that_broke_off_are_aborted(s3: S3Server, tmp_path: Path) -> None:
    storage = ObjectStorage(f"s3://{BUCKET}/{tmp_path.name}/a b", spool_dir=tmp_path, options=s3.options)
    store = storage._bucket._store
    for number in range(3):
        writer = obstore.open_writer(store, f"assets/2030-W05/id/{number} +", buffer_size=5 * MIB)
        writer.write(bytes(6 * MIB))
    assert await storage.abort_unfinished(timedelta(days=2)) == 0
    assert await storage.abort_unfinished(timedelta(minutes=-1)) == 3
    assert await storage.abort_unfinished(timedelta(minutes=-1)) == 0
    await storage.close()
