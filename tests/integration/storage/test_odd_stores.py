"""Stores of the kind of S3 that answer in odd ways, and keys that may do little."""

import logging
import random

import pytest

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.errors import StorageFull, StorageUnavailable
from genpulse.ports import State
from tests.fakes.odd_store import OddStore

MIB = 1 << 20


@pytest.fixture
async def store():
    async with OddStore().running() as odd:
        yield odd


def opened(store, folder, **more):
    options = {"endpoint": store.url, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    return ObjectStorage("s3://bucket", spool_dir=folder, options={**options, **more})


@pytest.fixture
async def storage(store, tmp_path):
    storage = opened(store, tmp_path)
    yield storage
    await storage.close()


@pytest.fixture
async def summing(store, tmp_path):
    """A storage that sends checksums."""
    storage = opened(store, tmp_path, checksum_algorithm="sha256")
    yield storage
    await storage.close()


async def test_a_key_that_may_not_list_keeps_what_is_made(store, storage):
    store.lists = False
    for _ in range(2):
        kept = await storage.keep(b"made")
    assert store.objects[f"/bucket/{kept.key}"] == b"made"
    assert (await storage.probe()).state is State.OK


async def test_an_upload_whose_completion_was_not_answered_is_looked_up(store, storage):
    store.loses_completion = True
    content = bytes(7 * MIB)
    kept = await storage.keep(content)
    assert store.objects[f"/bucket/{kept.key}"] == content


def half(body):
    return body[: len(body) // 2]


def nothing(_body):
    return b""


def another_end(body):
    return body[:-1] + bytes([body[-1] ^ 1])


def another_middle(body):
    return body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]


@pytest.mark.parametrize("damages", [half, nothing, another_end])
@pytest.mark.parametrize("size", [1, 1_000, 100_000, 7 * MIB])
async def test_a_store_that_keeps_something_else_is_told_before_anybody_relies_on_it(
    store, storage, damages, size
):
    store.damages = damages
    content = random.Random(1).randbytes(size)
    for _ in range(2):
        with pytest.raises(StorageUnavailable, match=rf"said that it has kept {size:,} bytes, and (has|its last)"):
            await storage.keep(content)
    store.damages = lambda body: body
    kept = await storage.keep(content)
    assert store.objects[f"/bucket/{kept.key}"] == content


@pytest.mark.parametrize("size", [100_000, 7 * MIB])
async def test_what_was_damaged_in_the_middle_is_whole_after_it_was_kept_again(store, storage, size):
    content = random.Random(1).randbytes(size)
    place = f"/bucket/{(await storage.keep(content)).key}"
    store.objects[place] = another_middle(content)
    await storage.keep(content)
    assert store.objects[place] == content


async def test_a_store_that_loses_a_part_is_told_before_anybody_relies_on_it(store, storage):
    store.loses_part = True
    content = random.Random(1).randbytes(11 * MIB)
    with pytest.raises(StorageUnavailable, match="and has 6,291,456"):
        await storage.keep(content)


async def test_a_key_that_may_put_and_not_get_is_told(store, storage):
    store.refusals["GET"] = (403, "AccessDenied")
    with pytest.raises(StorageUnavailable, match="it needs to get, put and delete objects"):
        await storage.keep(b"made")


@pytest.mark.parametrize("size", [0, 1_000, 7 * MIB])
async def test_checksums_go_with_what_is_put_and_with_each_part(store, summing, size):
    content = random.Random(1).randbytes(size)
    kept = await summing.keep(content)
    assert store.objects[f"/bucket/{kept.key}"] == content
    assert set(store.checksums) >= {"x-amz-checksum-sha256"}
    store.damages = another_middle
    if size:
        with pytest.raises(StorageUnavailable, match="The SHA256 you specified did not match"):
            await summing.keep(content + b"x")


@pytest.mark.parametrize("size", [1_000, 7 * MIB])
async def test_a_store_that_knows_no_checksums_is_asked_without_unless_somebody_says_so(
    store, storage, summing, size
):
    store.knows_checksums = False
    content = bytes(size)
    kept = await storage.keep(content)
    assert (store.objects[f"/bucket/{kept.key}"], store.checksums) == (content, {})
    with pytest.raises(StorageUnavailable, match="implies functionality that is not"):
        await summing.keep(content + b"x")


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_slow_line_is_no_failure_as_long_as_bytes_move(store, storage):
    store.bytes_per_s = 150_000 / 4
    content = bytes(20 * MIB)
    kept = await storage.keep(content)
    assert store.objects[f"/bucket/{kept.key}"] == content


async def test_a_store_without_bulk_deletion_and_a_locked_key_stop_no_removal(store, storage, caplog):
    kept = [await storage.keep(f"old {number}".encode()) for number in range(3)]
    store.locked.add(f"/bucket/{kept[1].key}")
    with caplog.at_level(logging.WARNING):
        await storage.remove([content.key for content in kept])
    assert [f"/bucket/{content.key}" in store.objects for content in kept] == [False, True, False]
    assert "stay in the storage (AccessDenied: object is WORM protected)" in caplog.text
    with pytest.raises(StorageUnavailable, match="WORM"):
        await storage.remove([kept[1].key])


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "RequestTimeTooSkewed", "clock and its own are too far apart"),
        (404, "NoSuchBucket", "it has no such bucket; create it, or mend the name in storage.url"),
        (301, "PermanentRedirect", "mend storage.region or storage.endpoint"),
        (400, "AuthorizationHeaderMalformed", "mend storage.region"),
        (403, "InvalidAccessKeyId", "it does not know storage.access_key_id"),
        (403, "SignatureDoesNotMatch", "storage.secret_access_key is not that of the key"),
        (403, "AccessDenied", "the key may not do that"),
        (403, "SomethingElse", "refuses access; its keys or permissions need attention"),
        (400, "SomethingElse", "does not answer, or cannot read or write"),
    ],
)
async def test_the_stores_own_words_reach_whoever_must_act(store, storage, status, code, words):
    store.refusals["PUT"] = (status, code)
    with pytest.raises(StorageUnavailable) as caught:
        await storage.keep(b"made")
    assert words in str(caught.value)
    assert f"({code}: " in str(caught.value)
    assert f"said {code}" in str(caught.value) or status == 301
    health = await storage.probe()
    assert (health.state, words in health.detail) == (State.DOWN, True)


@pytest.mark.parametrize("code", ["XMinioStorageFull", "QuotaExceeded"])
async def test_a_full_store_is_full(store, storage, code):
    store.refusals["PUT"] = (400, code)
    with pytest.raises(StorageFull, match=code):
        await storage.keep(b"made")
    assert (await storage.probe()).state is State.DEGRADED
