"""Processes that make thumbnails: their limits, and what is told of their ends."""

import asyncio
import io
import os
import struct
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from genpulse.adapters.thumbnails import program_maker, thumbnail_program
from genpulse.adapters.thumbnails.program_maker import ProgramThumbnailMaker
from genpulse.domain.assets.thumbnail import LARGEST_BYTES, ThumbnailWidth, can_have_thumbnail
from genpulse.domain.errors import NoThumbnail, ThumbnailsBusy

W64 = ThumbnailWidth.W64
SPINS = "while True: pass"
EATS = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); b'x' * (1 << 29)"
"""What a decoder does that a file keeps busy, or lets ask for memory."""
DIES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


@pytest.fixture
async def maker() -> AsyncIterator[ProgramThumbnailMaker]:
    maker = ProgramThumbnailMaker()
    yield maker
    await maker.close()


def png(width: int, height: int) -> bytes:
    """A picture that says so of its size, and has a megabyte of black pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))

    head = struct.pack("!IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


BAD = {
    "bomb": (png(50_000, 50_000), "image/png", "more pixels"),
    "cut off": (png(600, 600), "image/png", "broken"),
    "words": (b"just words", "image/png", "broken"),
    "words in place of a video": (b"just words", "video/mp4", "broken"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_is_told_apart(maker: ProgramThumbnailMaker, tmp_path: Path, name: str) -> None:
    content, media_type, words = BAD[name]
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NoThumbnail, match=words):
        await maker.make(tmp_path / "file", media_type, W64)


async def test_a_good_one_is_made(maker: ProgramThumbnailMaker, tmp_path: Path) -> None:
    Image.new("RGB", (200, 100), "red").save(tmp_path / "file", "PNG")
    made = Image.open(io.BytesIO(await maker.make(tmp_path / "file", "image/png", W64)))
    assert (made.format, made.size) == ("WEBP", (64, 32))


@pytest.mark.parametrize("mischief", [DIES, EATS, "import sys; sys.exit(1)"])
async def test_however_a_process_ends_it_is_no_thumbnail(
    maker: ProgramThumbnailMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mischief: str
) -> None:
    (tmp_path / "program.py").write_text(mischief)
    monkeypatch.setattr(program_maker, "_PROGRAM", tmp_path / "program.py")
    with pytest.raises(NoThumbnail, match="more time or memory"):
        await maker.make(tmp_path / "program.py", "image/png", W64)


async def test_what_cannot_be_started_may_be_asked_for_again(maker: ProgramThumbnailMaker, tmp_path: Path) -> None:
    with pytest.raises(ThumbnailsBusy, match="No such file"):
        await maker.make(tmp_path / "gone", "image/png", W64)


async def test_what_is_being_made_ends_with_the_maker(
    maker: ProgramThumbnailMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text(SPINS)
    monkeypatch.setattr(program_maker, "_PROGRAM", tmp_path / "program.py")
    making = asyncio.create_task(maker.make(tmp_path / "program.py", "image/png", W64))
    while not maker._running:
        await asyncio.sleep(0.005)
    (process,) = maker._running
    await maker.close()
    with pytest.raises(NoThumbnail):
        await making
    assert process.returncode == -9


async def test_the_program_limits_itself(tmp_path: Path) -> None:
    asked = f"""
import os, resource, runpy
own = runpy.run_path({thumbnail_program.__file__!r}, run_name="program")
own["_limit_yourself"]()
print(os.nice(0), *resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS)[0])
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", asked, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    nice, soft, hard, memory = map(int, said.split())
    assert (nice, soft, hard) == (min(19, os.nice(0) + 10), 10, 11)
    assert memory == (1 << 30 if sys.platform == "linux" else memory)


def test_both_sides_mean_the_same() -> None:
    program = thumbnail_program
    assert set(program_maker._WHY) == {program.BROKEN, program.TOO_LARGE, program.EMPTY}
    assert all(can_have_thumbnail(media_type) for media_type in program._FORMATS)
    refused = {"image/svg+xml", "image/heic", "image/tiff", "text/plain", "application/pdf"}
    assert not any(can_have_thumbnail(media_type) for media_type in refused)
    assert LARGEST_BYTES > thumbnail_program.MOST_PIXELS
