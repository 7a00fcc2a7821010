"""Streams on their way into a store of the kind of S3, which are on no disk of ours."""

import asyncio
import hashlib
import os
import random
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.storage.bucket import PART, PARTS_AT_ONCE
from genpulse.adapters.storage.memory_share import SharedMemory
from genpulse.adapters.storage.object_file import ObjectFile
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.assets.asset import Buffered, Spooled, Staged, week_of_keys
from genpulse.domain.errors import ContentTooLarge, StorageLost, StorageUnavailable
from genpulse.lifecycle.content_twin import keep
from genpulse.lifecycle.removal.prune import prune
from genpulse.lifecycle.upload import upload
from genpulse.testing.rig import memory_services
from tests.drawn import examples
from tests.fakes.odd_store import OddStore
from tests.integration.storage.media_files import HEIGHT, WIDTH, picture, video
from tests.integration.storage.test_odd_stores import opened

MIB = 1 << 20
LONG = PART + 3 * MIB + 17
LIMIT = 1 << 30


@pytest.fixture
async def store():
    async with OddStore().running() as odd:
        yield odd


@pytest.fixture
async def storage(store, tmp_path):
    storage = opened(store, tmp_path / "spool")
    yield storage
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "something was left on the disk"
    await storage.close()


async def as_it_is(key, _size):
    return key


async def chunks(body, size=1 << 16):
    for start in range(0, len(body), size):
        yield body[start : start + size]


def content_of(size, seed=1):
    return random.Random(seed).randbytes(size)


def objects(store):
    return {path.removeprefix("/bucket/"): body for path, body in store.objects.items() if path != "/bucket/probe"}


async def received(storage, body, noting=as_it_is):
    async with storage.receive(chunks(body), limit_bytes=LIMIT, noting=noting) as whole:
        return await storage.keep(whole, noting=noting)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART])
async def test_a_short_stream_stays_in_memory_and_is_put_under_its_digest(store, storage, size):
    body = content_of(size)
    async with storage.receive(chunks(body), limit_bytes=LIMIT, noting=as_it_is) as whole:
        assert whole == Buffered(body, hashlib.sha256(body).hexdigest())
        assert not objects(store)
        kept = await storage.keep(whole)
    assert objects(store) == {kept.key: body}
    assert kept.key.endswith(kept.sha256)
    assert not store.uploads


@pytest.mark.parametrize("size", [PART + 1, 4 * PART, 5 * PART - 1])
async def test_a_long_stream_goes_on_while_it_comes(store, storage, size):
    body, notes = content_of(size), []

    async def noting(key, _size):
        notes.append((key, bool(store.uploads)))
        return key

    async with storage.receive(chunks(body), limit_bytes=LIMIT, noting=noting) as whole:
        assert isinstance(whole, Staged)
        kept = await storage.keep(whole, noting=noting)
    assert objects(store) == {kept.key: body}
    assert (kept.sha256, kept.size) == (hashlib.sha256(body).hexdigest(), size)
    assert notes[0] == (kept.key, False), "it is noted before anything is sent"
    assert notes[-1][0] == kept.key
    assert [part async for part in storage.read(kept.key, 0, kept.size, sha256=kept.sha256)]


async def test_parts_go_at_once_and_not_too_many(store, storage):
    store.bytes_per_s = 40_000_000
    await received(storage, content_of(8 * PART))
    assert 1 < store.most_parts_at_once <= PARTS_AT_ONCE


async def test_what_is_not_kept_is_gone(store, storage):
    async with storage.receive(chunks(content_of(LONG)), limit_bytes=LIMIT, noting=as_it_is):
        assert len(objects(store)) == 1
    assert not objects(store)
    assert not store.uploads


@pytest.mark.parametrize("size", [3 * MIB, LONG, 4 * PART])
async def test_a_stream_that_breaks_off_leaves_nothing(store, storage, size):
    async def broken():
        async for chunk in chunks(content_of(size)):
            yield chunk
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        async with storage.receive(broken(), limit_bytes=LIMIT, noting=as_it_is):
            pass
    assert (objects(store), store.uploads) == ({}, {})


async def test_one_that_is_too_large_leaves_nothing(store, storage):
    with pytest.raises(ContentTooLarge):
        async with storage.receive(chunks(content_of(LONG)), limit_bytes=LONG - 1, noting=as_it_is):
            pass
    assert (objects(store), store.uploads) == ({}, {})


async def test_whoever_is_canceled_leaves_nothing(store, storage):
    async def endless():
        while True:
            yield bytes(MIB)
            await asyncio.sleep(0)

    task = asyncio.create_task(received_forever(storage, endless()))
    await store.part_came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (objects(store), store.uploads) == ({}, {})
    assert store.aborted


async def received_forever(storage, stream):
    async with storage.receive(stream, limit_bytes=1 << 40, noting=as_it_is):
        pass


async def test_what_is_noted_in_vain_is_not_sent(store, storage):
    async def refused(_key, _size):
        raise StorageUnavailable("no")

    with pytest.raises(StorageUnavailable, match="no"):
        await received(storage, content_of(LONG), refused)
    assert (objects(store), store.uploads, store.aborted) == ({}, {}, [])


async def test_a_completion_that_was_not_answered_is_looked_up(store, storage):
    store.loses_completion = True
    body = content_of(LONG)
    kept = await received(storage, body)
    assert objects(store) == {kept.key: body}


@pytest.mark.parametrize("harm", ["loses_part", "damages"])
async def test_a_store_that_keeps_something_else_is_told_and_nothing_stays(store, storage, harm):
    if harm == "loses_part":
        store.loses_part = True
    else:
        store.damages = lambda body: body[:-1] + bytes([body[-1] ^ 1])
    with pytest.raises(StorageUnavailable, match="said that it has kept"):
        await received(storage, content_of(LONG))
    assert not objects(store)


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_store_that_refuses_is_told_and_nothing_stays(store, storage, method):
    await storage.keep(b"the mark is there")
    store.refusals[method] = (403, "AccessDenied")
    with pytest.raises(StorageUnavailable, match="AccessDenied"):
        await received(storage, content_of(4 * PART))
    assert len(objects(store)) == 1
    assert not store.uploads


async def test_a_key_that_may_put_and_get_alone_is_enough(store, storage):
    store.lists = False
    store.refusals["DELETE"] = (403, "AccessDenied")
    kept = await received(storage, content_of(LONG))
    async with storage.receive(chunks(content_of(LONG)), limit_bytes=LIMIT, noting=as_it_is):
        pass
    assert len(objects(store)) == 2, "what it may not remove stays noted"
    assert objects(store)[kept.key] == content_of(LONG)


async def test_checksums_go_with_each_part(store, tmp_path):
    storage = opened(store, tmp_path, checksum_algorithm="sha256")
    await received(storage, content_of(LONG))
    assert set(store.checksums) >= {"x-amz-checksum-sha256"}
    store.damages = lambda body: body[:9] + b"x" + body[10:]
    with pytest.raises(StorageUnavailable, match="The SHA256 you specified did not match"):
        await received(storage, content_of(LONG))
    await storage.close()


async def test_where_there_is_no_room_in_memory_it_waits_on_the_disk(store, storage):
    storage._incoming._memory = SharedMemory(PART)
    body = content_of(LONG)
    async with storage.receive(chunks(body), limit_bytes=LIMIT, noting=as_it_is) as whole:
        assert isinstance(whole, Spooled)
        assert whole.path.read_bytes() == body
        async with storage.receive(chunks(body), limit_bytes=LIMIT, noting=as_it_is) as second:
            assert second.sha256 == whole.sha256
        kept = await storage.keep(whole)
    assert objects(store) == {kept.key: body}


async def test_short_streams_hold_as_much_as_they_have(store, storage):
    storage._incoming._memory = SharedMemory(2 * PART)
    async with AsyncExitStack() as stack:
        kinds = [
            type(
                await stack.enter_async_context(
                    storage.receive(chunks(content_of(2 * MIB, seed)), limit_bytes=LIMIT, noting=as_it_is)
                )
            )
            for seed in range(4)
        ]
    assert kinds == [Buffered, Buffered, Buffered, Spooled]
    assert storage._incoming._memory.take(2 * PART)


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
async def test_what_a_long_stream_is_is_told_as_of_a_file(store, storage, tmp_path, container):
    video(tmp_path / "video", container, "libx264")
    body = (tmp_path / "video").read_bytes()
    (tmp_path / "video").unlink()
    short = await storage.keep(body)
    padding = b"\x00\x00\x00\x08free" * (PART // 8 + 1) if container == "mp4" else bytes(PART)
    kept = await received(storage, body + padding)
    assert kept.key.startswith(f"{week_of_keys(datetime.now(UTC))}id/")
    assert (kept.media_type, kept.width, kept.height) == (short.media_type, WIDTH, HEIGHT)


async def test_a_long_picture_has_its_size(store, storage):
    kept = await received(storage, picture("PNG") + bytes(LONG))
    assert (kept.media_type, kept.width, kept.height) == ("image/png", WIDTH, HEIGHT)


async def test_a_store_that_breaks_off_while_it_is_looked_at_makes_no_wrong_picture(store, storage):
    calls = []
    part = storage._bucket.part

    def once(*words):
        calls.append(words)
        if len(calls) == 1:
            raise StorageUnavailable("away")
        return part(*words)

    storage._bucket.part = once
    jpeg = picture("JPEG")
    long = jpeg[:2] + (b"\xff\xe1\xff\xff" + bytes(65_533)) * 40 + jpeg[2:] + bytes(LONG)
    with pytest.raises(StorageUnavailable, match="away"):
        await received(storage, long)
    assert not objects(store)
    kept = await received(storage, long)
    assert (kept.media_type, kept.width, kept.height) == ("image/jpeg", WIDTH, HEIGHT)


async def test_bytes_are_put_from_memory(store, tmp_path):
    storage = opened(store, tmp_path / "nowhere")
    for size in (7, LONG):
        await storage.keep(content_of(size))
    assert len(objects(store)) == 2
    assert not (tmp_path / "nowhere").exists()
    await storage.close()


@pytest.fixture
async def services(store, storage):
    async with memory_services() as services:
        yield replace(services, storage=storage)


async def test_the_same_again_is_kept_once(store, services):
    first, second = [await upload(services, chunks(content_of(LONG)), limit_bytes=LIMIT) for _ in range(2)]
    assert first.content == second.content
    assert list(objects(store)) == [first.content.key]
    assert first.id != second.id


async def test_a_damaged_twin_is_not_relied_on(store, services):
    body = content_of(LONG)
    first = await upload(services, chunks(body), limit_bytes=LIMIT)
    place = f"/bucket/{first.content.key}"
    store.objects[place] = body[:MIB] + b"x" + body[MIB + 1 :]
    second = await upload(services, chunks(body), limit_bytes=LIMIT)
    assert second.content.key != first.content.key
    assert objects(store)[second.content.key] == body


async def test_a_twin_of_an_earlier_week_is_not_looked_for(store, services, tmp_path):
    body = content_of(LONG)
    first = await upload(services, chunks(body), limit_bytes=LIMIT)
    later = datetime.now(UTC) + timedelta(days=7)
    options = {"endpoint": store.url, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    storage = ObjectStorage("s3://bucket", spool_dir=tmp_path / "later", options=options, now=lambda: later)
    services = replace(services, storage=storage, now=lambda: later)
    second = await upload(services, chunks(body), limit_bytes=LIMIT)
    assert sorted(objects(store)) == sorted([first.content.key, second.content.key])
    await storage.close()


async def test_one_that_came_over_the_end_of_a_week_is_not_looked_for_either(store, services):
    body = content_of(LONG)
    await upload(services, chunks(body), limit_bytes=LIMIT)
    later = datetime.now(UTC) + timedelta(days=7)
    await upload(replace(services, now=lambda: later), chunks(body), limit_bytes=LIMIT)
    assert len(objects(store)) == 2


async def test_a_twin_that_was_deleted_is_not_kept(store, services):
    body = content_of(LONG)
    first = await upload(services, chunks(body), limit_bytes=LIMIT)
    await services.deletions.delete_asset(first.id, owner=None)
    await services.deletions.erase_assets(100)
    second = await upload(services, chunks(body), limit_bytes=LIMIT)
    assert second.content.key != first.content.key


async def test_a_twin_that_is_deleted_in_this_very_moment_costs_nothing(store, services):
    """The upload relies on its own bytes then, which are there as long as it goes on."""
    body = content_of(LONG)
    first = await upload(services, chunks(body), limit_bytes=LIMIT)

    class Deleting:
        def __init__(self):
            self.left = [first.id]

        def __getattr__(self, name):
            return getattr(services.store, name)

        async def now(self):
            while self.left:
                await services.deletions.delete_asset(self.left.pop(), owner=None)
                await services.deletions.erase_assets(100)
            return await services.store.now()

    deleting = Deleting()
    second = await upload(replace(services, store=deleting), chunks(body), limit_bytes=LIMIT)
    assert deleting.left == []
    assert second.content.key != first.content.key
    assert objects(store)[second.content.key] == body


async def test_what_a_process_left_that_was_killed_before_its_row_goes_when_it_is_old(store, services):
    killed = services.storage.receive(
        chunks(content_of(LONG)), limit_bytes=LIMIT, noting=services.retention.expect
    )
    await keep(services, await killed.__aenter__(), services.retention.expect)
    assert len(objects(store)) == 1
    services.retention._place = replace(
        services.retention._place, now=lambda: datetime.now(UTC) + timedelta(days=9)
    )
    later = datetime.now(UTC) + timedelta(days=9)
    await prune(replace(services, now=lambda: later), services.retention_policy)
    assert not objects(store)


async def test_own_bytes_that_were_erased_are_told(storage):
    async with storage.receive(chunks(content_of(LONG)), limit_bytes=LIMIT, noting=as_it_is) as whole:

        async def another(key, _size):
            return f"{key}-1"

        with pytest.raises(StorageLost, match="erased"):
            await storage.keep(whole, noting=another)
        with pytest.raises(ContentTooLarge):
            await storage.keep(whole, limit_bytes=1)


SIZES = st.sampled_from([0, 1, PART - 1, PART, PART + 1, PART + MIB, 2 * PART])


@settings(max_examples=examples(24), deadline=None)
@given(
    bodies=st.lists(st.tuples(SIZES, st.integers(0, 1)), min_size=1, max_size=5),
    cuts=st.integers(1, 3 * MIB),
    room=st.sampled_from([0, PART, 40 * MIB, 128 * MIB]),
)
async def test_whatever_comes_is_there_once_and_whole(tmp_path_factory, bodies, cuts, room):
    async with OddStore().running() as store, memory_services() as services:
        storage = opened(store, tmp_path_factory.mktemp("spool"))
        storage._incoming._memory = SharedMemory(room)
        services = replace(services, storage=storage)
        contents = [content_of(size, seed) for size, seed in bodies]
        assets = [await upload(services, chunks(body, max(cuts, 999)), limit_bytes=LIMIT) for body in contents]
        await storage.close()
    assert [objects(store)[asset.content.key] for asset in assets] == contents
    assert len(objects(store)) == len({asset.content.sha256 for asset in assets})
    assert not store.uploads


KILLED = """
import asyncio, sys
from pathlib import Path
from genpulse.adapters.storage.object_file import ObjectFile
from genpulse.adapters.storage.objects import ObjectStorage
async def endless():
    while True:
        yield bytes(1 << 20)
        await asyncio.sleep(0.01)
async def noting(key, size):
    print(key, flush=True)
    return key
async def main(url, folder):
    options = {"endpoint": url, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    storage = ObjectStorage("s3://bucket/pre/fix", spool_dir=Path(folder), options=options)
    async with storage.receive(endless(), limit_bytes=1 << 40, noting=noting):
        pass
asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_a_killed_process_left_between_two_parts_is_found_and_aborted(store, tmp_path, caplog):
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, store.url, str(tmp_path / "spool"), stdout=asyncio.subprocess.PIPE
    )
    key = (await child.stdout.readline()).decode().strip()
    await store.part_came.wait()
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert [each.path for each in store.uploads.values()] == [f"/bucket/pre/fix/{key}"]
    options = {"endpoint": store.url, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    storage = ObjectStorage("s3://bucket/pre/fix", spool_dir=tmp_path / "spool", options=options)
    assert await storage.abort_unfinished(timedelta(days=2)) == 0, "it may still go on"
    assert await storage.abort_unfinished(timedelta(seconds=-60)) == 1
    assert (store.uploads, store.aborted) == ({}, [f"/bucket/pre/fix/{key}"])
    await storage.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
async def test_all_pages_of_unfinished_uploads_are_read(store, storage, count):
    old = datetime.now(UTC) - timedelta(days=3)
    for number in range(count):
        store.begin(f"/bucket/assets/2030-W05/id/{number % 3} {number}", old)
    store.begin("/bucket/assets/2030-W05/id/young", datetime.now(UTC))
    store.begin("/bucket/others/old", old)
    assert await storage.abort_unfinished(timedelta(days=2)) == count
    assert sorted(each.path for each in store.uploads.values()) == [
        "/bucket/assets/2030-W05/id/young",
        "/bucket/others/old",
    ]


@pytest.mark.parametrize("status", [403, 405, 501])
async def test_where_they_may_not_be_listed_a_rule_is_named(store, storage, caplog, status):
    store.refusals["GET"] = (status, "AccessDenied")
    with caplog.at_level("INFO"):
        assert await storage.abort_unfinished(timedelta(days=2)) == 0
    assert "AbortIncompleteMultipartUpload" in caplog.text


async def test_a_store_that_is_away_while_they_are_listed_is_told(store, storage):
    store.refusals["GET"] = (500, "InternalError")
    with pytest.raises(StorageUnavailable):
        await storage.abort_unfinished(timedelta(days=2))


async def test_a_folder_has_none(tmp_path: Path):
    storage = ObjectStorage((tmp_path / "kept").as_uri())
    assert await storage.abort_unfinished(timedelta(0)) == 0
    await storage.close()


@pytest.mark.parametrize(("head", "end"), [(0, 0), (3, 0), (0, 3), (4, 6), (10, 10), (7, 7)])
async def test_what_is_known_of_an_object_is_not_asked_for(head, end):
    body, asked = b"0123456789", []

    def part(start, to):
        asked.append((start, to))
        return body[start:to]

    file = ObjectFile(part, 10, head=body[:head], end=body[10 - end :])
    for start in range(11):
        for size in range(1, 12):
            file.seek(start)
            assert b"".join(iter(lambda size=size: file.read(size), b"")) == body[start:]
    assert all(start >= head and start < 10 - end for start, _ in asked)


class Yesterday:
    """A moment as nobody writes it."""

    def __format__(self, _form):
        return "yesterday"


async def test_a_store_that_says_oddly_when_uploads_began_is_told(store, storage):
    store.begin("/bucket/assets/2030-W05/id/odd", Yesterday())
    with pytest.raises(StorageUnavailable):
        await storage.abort_unfinished(timedelta(days=2))
