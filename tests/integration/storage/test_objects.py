import asyncio
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genpulse.adapters.storage.bucket import PROBE_KEY
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.assets.asset import key_of
from genpulse.domain.errors import StorageLost, StorageUnavailable
from genpulse.ports import State
from tests.drawn import examples
from tests.integration.storage.media.test_tracks import NEVER_ENDING
from tests.integration.storage.media_files import HEIGHT, WIDTH, video

MONDAY = datetime(2030, 1, 28, tzinfo=UTC)
ROOT = Path(__file__).parents[3]

PROGRAM = """
import asyncio, resource, sys
from pathlib import Path
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.errors import StorageFull

async def main(url, spool_dir, size):
    storage = ObjectStorage(url, spool_dir=Path(spool_dir))
    content = await storage.keep(b"little")
    try:
        await storage.keep(b"\\x00\\x01" * (size // 2))
        print("kept")
    except StorageFull as error:
        print(f"full: {error}")
    print(b"".join([chunk async for chunk in storage.read(content.key, 0, 6)]).decode())
    await storage.close()
"""


def run(program: str, *arguments: str, wrapped: tuple[str, ...] = ()) -> list[str]:
    done = subprocess.run(
        [*wrapped, sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [2_000_000, 20_000_000])
def test_a_file_may_not_grow_that_large(tmp_path: Path, size: int) -> None:
    program = PROGRAM + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, -1))\n"
        "asyncio.run(main(*sys.argv[1:3], int(sys.argv[3])))"
    )
    said = run(program, (tmp_path / "storage").as_uri(), str(tmp_path / "spool"), str(size))
    assert said == ["full: There is no space left to write the spool file.", "little"]
    assert len(files(tmp_path)) == len(("the little one", PROBE_KEY))


@pytest.mark.parametrize("size", [2_000_000, 20_000_000])
@pytest.mark.parametrize("full", ["storage", "spool"])
def test_the_disk_is_full(tmp_path: Path, full: str, size: int) -> None:
    """A real small disk, which the system gives to a process in namespaces of its own."""
    small = tmp_path / full
    small.mkdir()
    alone = ("unshare", "--user", "--map-root-user", "--mount")
    mount = ("sh", "-c", f'mount -t tmpfs -o size=1m none "{small}" && exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run([*alone, *mount, "true"], capture_output=True).returncode:
        pytest.skip("this system does not let a process mount a disk of its own")
    program = PROGRAM + (
        "asyncio.run(main(*sys.argv[1:3], int(sys.argv[3])))\n"
        "print(sum(path.is_file() for path in Path(sys.argv[4]).rglob('*')))"
    )
    urls = ((tmp_path / "storage").as_uri(), str(tmp_path / "spool"), str(size), str(small))
    said = run(program, *urls, wrapped=(*alone, *mount))
    assert said[0].startswith("full: There is no space left")
    assert said[1] == "little"
    assert int(said[2]) == (2 if full == "storage" else 0), "a part of the large content was left behind"


@pytest.mark.hypothesis
def test_a_process_that_ends_at_once_ends_well(tmp_path: Path) -> None:
    """obstore's asynchronous calls would abort some of these."""
    program = PROGRAM + "asyncio.run(main(*sys.argv[1:3], 12_000_000))"
    command = [sys.executable, "-c", program, (tmp_path / "storage").as_uri(), str(tmp_path)]
    runs = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(examples(12))]
    for process in runs:
        assert process.communicate()[0] == b"kept\nlittle\n"
        assert process.returncode == 0


async def test_a_folder_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    storage = ObjectStorage(folder.as_uri(), spool_dir=tmp_path)
    content = await storage.keep(b"hello")
    folder.rename(tmp_path / "unmounted")
    folder.write_bytes(b"a file in its place")
    with pytest.raises(StorageUnavailable):
        await storage.keep(b"hello again")
    with pytest.raises(StorageUnavailable):
        await anext(storage.read(content.key, 0, 5))
    health = await storage.probe()
    assert (health.state, str(tmp_path) in health.detail) == (State.DOWN, False)
    folder.unlink()
    (tmp_path / "unmounted").rename(folder)
    assert (await storage.probe()).state is State.OK
    assert await anext(storage.read(content.key, 0, 5)) == b"hello"
    await storage.close()


async def test_a_disk_that_is_not_mounted_is_away_and_nothing_on_it_is_gone_for_ever(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    storage = ObjectStorage(folder.as_uri(), spool_dir=tmp_path)
    content = await storage.keep(b"hello")
    folder.rename(tmp_path / "unmounted")
    folder.mkdir()
    with pytest.raises(StorageUnavailable, match="mounted"):
        await anext(storage.read(content.key, 0, 5))
    folder.rmdir()
    with pytest.raises(StorageUnavailable, match="mounted"):
        await anext(storage.read(content.key, 0, 5))
    (tmp_path / "unmounted").rename(folder)
    assert await anext(storage.read(content.key, 0, 5)) == b"hello"
    (folder / content.key).unlink()
    with pytest.raises(StorageLost, match="gone"):
        await anext(storage.read(content.key, 0, 5))
    await storage.close()


async def test_a_folder_in_place_of_content_is_gone_for_ever(tmp_path: Path) -> None:
    storage = ObjectStorage((tmp_path / "storage").as_uri(), spool_dir=tmp_path)
    content = await storage.keep(b"hello")
    (tmp_path / "storage" / content.key).unlink()
    (tmp_path / "storage" / content.key).mkdir()
    with pytest.raises(StorageLost):
        await anext(storage.read(content.key, 0, 5))
    await storage.close()


async def test_what_a_killed_process_left_half_stored_goes_with_its_key(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    storage = ObjectStorage(folder.as_uri(), spool_dir=tmp_path / "spool")
    content, other = await storage.keep(b"hello"), await storage.keep(b"other")
    for key in (content.key, key_of("0" * 64, MONDAY)):
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{key}#123").write_bytes(b"hel")
    await storage.remove([content.key, key_of("0" * 64, MONDAY), "nothing/at/all"])
    assert {path.relative_to(folder).as_posix() for path in files(folder)} == {other.key, PROBE_KEY}
    await storage.close()


async def test_a_full_storage_still_works_and_one_that_refuses_does_not(tmp_path: Path) -> None:
    """A full one is `degraded`, since all that it holds can be read."""
    program = PROGRAM + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))\n"
        "storage = ObjectStorage(sys.argv[1])\n"
        "print(asyncio.run(storage.probe()))"
    )
    (said,) = run(program, (tmp_path / "storage").as_uri())
    assert "State.DEGRADED" in said
    assert "There is no space left in the storage." in said


async def test_content_is_where_its_digest_says_and_nothing_else_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    storage = ObjectStorage(folder.as_uri(), spool_dir=tmp_path / "spool", now=lambda: MONDAY)
    kept = [await storage.keep(content) for content in (b"", b"a", bytes(9_000_000), bytes(9_000_000))]
    await storage.probe()
    found = {path.relative_to(folder).as_posix() for path in files(folder)}
    assert found == {*(content.key for content in kept), PROBE_KEY}
    assert all(content.key == key_of(content.sha256, MONDAY) for content in kept)
    await storage.close()


async def test_content_that_was_cut_off_is_stored_again(tmp_path: Path) -> None:
    storage = ObjectStorage((tmp_path / "storage").as_uri())
    content = await storage.keep(b"hello")
    (tmp_path / "storage" / content.key).write_bytes(b"he")
    await storage.keep(b"hello")
    assert await anext(storage.read(content.key, 0, 5)) == b"hello"
    await storage.close()


async def test_media_is_described(tmp_path: Path) -> None:
    storage = ObjectStorage("memory:///")
    video(tmp_path / "video", "mp4", "libx264")
    content = await storage.keep(tmp_path / "video")
    assert (content.media_type, content.width, content.height, content.duration_s) == (
        "video/mp4",
        WIDTH,
        HEIGHT,
        1.0,
    )
    await storage.close()


async def test_a_hostile_file_holds_up_nobody(tmp_path: Path) -> None:
    storage = ObjectStorage("memory:///")
    hostile = asyncio.create_task(storage.keep(NEVER_ENDING))
    await asyncio.sleep(0.2)
    assert (await storage.keep(b"hello")).media_type == "text/plain"
    assert not hostile.done()
    assert (await hostile).media_type == "video/x-flv"
    await storage.close()


async def test_a_remote_storage_that_does_not_answer(tmp_path: Path) -> None:
    """It takes the connection and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = ObjectStorage(
            "s3://bucket/prefix",
            options={
                "endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}",
                "access_key_id": "id",
                "secret_access_key": "secret",
                "region": "eu-central-1",
            },
        )
        health = await storage.probe()
        assert (health.state, health.detail) == (State.DOWN, "no answer within 1.5 s")
        await storage.close()


async def test_a_remote_storage_that_is_not_there(tmp_path: Path) -> None:
    storage = ObjectStorage(
        "s3://bucket/prefix",
        options={
            "endpoint": "http://127.0.0.1:9",
            "access_key_id": "the-id",
            "secret_access_key": "the-secret",
            "region": "eu-central-1",
        },
    )
    with pytest.raises(StorageUnavailable) as raised:
        await storage.keep(b"hello")
    assert "the-" not in str(raised.value)
    assert (await storage.probe()).state is State.DOWN
    await storage.close()


@pytest.mark.parametrize("left", [b"", b"hel", b"hello, and more", bytes(5)])
async def test_what_a_broken_disk_left_under_a_key_is_written_again(tmp_path: Path, left: bytes) -> None:
    storage = ObjectStorage((tmp_path / "storage").as_uri(), spool_dir=tmp_path / "spool")
    content = await storage.keep(b"hello")
    (tmp_path / "storage" / content.key).write_bytes(left)
    await storage.keep(b"hello")
    assert await anext(storage.read(content.key, 0, 5)) == b"hello"
    await storage.close()
