"""What processes that are killed leave on the local disk, and who may remove it."""

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from genpulse.adapters.storage.disk.spool_folder import SpoolFolder
from genpulse.adapters.storage.objects import ObjectStorage

ROOT = Path(__file__).parents[3]
WAITING = """
import asyncio, sys
from pathlib import Path
from genpulse.adapters.storage.objects import ObjectStorage

async def streamed():
    yield bytes(3_000_000)
    print("written", flush=True)
    await asyncio.Event().wait()

storage = ObjectStorage(sys.argv[1], spool_dir=Path(sys.argv[2]))
asyncio.run(storage.keep(streamed()))
"""
"""A process that is about an upload whose sender stops in the middle."""


class Process:
    """One that has a stream in its spool."""

    def __init__(self, spool_dir: Path, *, url: str = "memory:///", wrapped: tuple[str, ...] = ()) -> None:
        command = [*wrapped, sys.executable, "-c", WAITING, url, str(spool_dir)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "written\n"

    def kill(self) -> None:
        """As the system does that is out of memory."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def started(processes: ExitStack, *arguments: object, **options: object) -> Process:
    process = Process(*arguments, **options)  # type: ignore[arg-type]
    processes.callback(process.kill)
    return process


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_a_killed_process_left_is_removed_at_the_next_start(
    tmp_path: Path, processes: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    living, killed = started(processes, tmp_path), started(processes, tmp_path)
    assert len(files(tmp_path)) == 2
    killed.kill()
    storage = ObjectStorage("memory:///", spool_dir=tmp_path)
    with caplog.at_level(logging.INFO):
        await storage.sweep()
    assert len(files(tmp_path)) == len(list(tmp_path.iterdir())) == 1
    assert "removed what a killed process had left in" in caplog.text
    living.kill()
    await storage.sweep()
    assert not list(tmp_path.iterdir())
    await storage.close()


async def test_nothing_is_removed_of_another_installation(tmp_path: Path, processes: ExitStack) -> None:
    started(processes, tmp_path, url=(tmp_path / "of another").as_uri()).kill()
    storage = ObjectStorage("memory:///", spool_dir=tmp_path)
    await storage.sweep()
    (left,) = SpoolFolder(tmp_path, " memory:///").contents()
    assert (left.files, left.is_living, left.is_own) == (1, False, False)
    await storage.close()


def test_empty_folders_of_others_that_were_killed_are_swept_away_too(tmp_path: Path) -> None:
    living, killed = SpoolFolder(tmp_path, "living"), SpoolFolder(tmp_path, "killed")
    for folder in (living, killed):
        with folder.file():
            pass
    killed._forget()
    SpoolFolder(tmp_path, "one").sweep()
    assert [(found.is_living, found.is_own) for found in SpoolFolder(tmp_path, "living").contents()] == [
        (True, True)
    ]
    living.close()


def test_two_processes_with_one_id_know_their_own(tmp_path: Path, processes: ExitStack) -> None:
    """As in two containers, in each of which it is process 1."""
    alone = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this system does not give a process ids of its own")
    living = started(processes, tmp_path, wrapped=alone)
    started(processes, tmp_path, wrapped=alone).kill()
    folder = SpoolFolder(tmp_path, " memory:///")
    ends_at = time.monotonic() + 60
    while all(found.is_living for found in folder.contents()) and time.monotonic() < ends_at:
        time.sleep(0.02)
    folder.sweep()
    assert [found.is_living for found in folder.contents()] == [True]
    living.kill()


def test_an_empty_folder_of_a_process_that_has_just_begun_may_be_swept_away(tmp_path: Path) -> None:
    """Many that begin, and many that sweep, at once: each gets a file that stays until it is done with it."""
    failures: list[BaseException] = []

    def begin_and_end() -> None:
        try:
            for _ in range(30):
                folder = SpoolFolder(tmp_path, "one")
                with folder.file() as file:
                    file.write(b"fox")
                    file.flush()
                    assert Path(file.name).read_bytes() == b"fox"
                folder.close()
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    def sweep() -> None:
        for _ in range(60):
            SpoolFolder(tmp_path, "one").sweep()

    threads = [threading.Thread(target=target) for target in (begin_and_end, sweep) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    SpoolFolder(tmp_path, "one").sweep()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_cleared_away_is_made_again(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, "one")
    with folder.file() as file:
        own = Path(file.name).parent
        shutil.rmtree(own)
    with folder.file() as file:
        assert Path(file.name).parent != own
    folder.close()
    assert not list(tmp_path.iterdir())


def test_only_its_user_can_read_what_waits(tmp_path: Path) -> None:
    with SpoolFolder(tmp_path, "one").file() as file:
        assert Path(file.name).parent.stat().st_mode & 0o077 == 0


def odd_things(folder: Path) -> Iterator[Path]:
    """What somebody else has put there under such a name."""
    mark = SpoolFolder(folder, "one")
    with mark.file() as file:
        name = Path(file.name).parent.name
    mark.close()
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "precious").write_bytes(b"fox")
    yield folder / "elsewhere" / "precious"
    link, plain, deep = (folder / f"{name}{each}" for each in ("link", "file", "deep"))
    link.symlink_to(folder / "elsewhere")
    plain.write_bytes(b"fox")
    (deep / "below").mkdir(parents=True)
    yield from (link, plain, deep / "below")


def test_what_is_no_folder_of_a_process_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    things = list(odd_things(tmp_path))
    SpoolFolder(tmp_path, "one").sweep()
    assert all(thing.exists() for thing in things)
    assert "stays there" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another user")
def test_nothing_is_removed_of_another_user(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, "one")
    with folder.file() as file:
        own = Path(file.name).parent
    folder._forget()
    os.chown(own, 12_345, 12_345)
    SpoolFolder(tmp_path, "one").sweep()
    assert own.is_dir()


class SweptMeanwhile(SpoolFolder):
    """Another process sweeps between its look and its removal."""

    def contents(self):
        found = super().contents()
        shutil.rmtree(found[0].folder)
        return found


def test_what_another_process_has_just_removed_does_not_stay_there(tmp_path, processes, caplog):
    started(processes, tmp_path).kill()
    SweptMeanwhile(tmp_path, " memory:///").sweep()
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == []
