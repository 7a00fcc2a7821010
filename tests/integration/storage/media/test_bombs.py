"""Files of a few kilobytes that ask for gigabytes of whoever looks at them."""

import gzip
import struct
import subprocess
import sys
import zipfile
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

from genpulse.adapters.storage.media import track_reader
from genpulse.adapters.storage.media.description import Media, describe
from genpulse.adapters.storage.objects import ObjectStorage
from tests.memory import MIB, peak

SIDE = 60_000
MOST_MIB = 48
PACKED = 64 * MIB
MOST_OF_READER_MIB = 256
"""Of the process that reads tracks, its interpreter and its library included."""


_MEASURED = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-I", sys.argv[1]], stdout=subprocess.DEVNULL, check=False)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))

    head = struct.pack("!IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(MIB))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _box(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("!I", len(body) + 8 if size is None else size) + name + body


def _mp4(table: bytes) -> bytes:
    inner = table
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        inner = _box(name, inner)
    return _box(b"ftyp", b"isom\x00\x00\x02\x00isommp41") + inner


def _zip(content: bytes, name: str = "a") -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr(name, content)
    return file.getvalue()


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
_SVG = f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">{_LAUGHS}]><svg xmlns="http://www.w3.org/2000/svg">&l11;</svg>'
_EXTERNAL = (
    '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///dev/zero">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>'
)


@cache
def _bombs() -> dict[str, tuple[bytes, str]]:
    return {
        "png": (_png(SIDE, SIDE), "image/png"),
        "png beyond all": (_png(2**31 - 1, 2**31 - 1), "image/png"),
        "bmp": (
            b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, SIDE, SIDE, 1, 32, 0, 0, 0, 0, 0, 0),
            "image/bmp",
        ),
        "gif": (b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0xF7, 0, 0) + bytes(768) + b";", "image/gif"),
        "svg laughs": (_SVG.encode(), "image/svg+xml"),
        "svg from outside": (_EXTERNAL.encode(), "image/svg+xml"),
        "svg deep": (b"<svg>" + b"<g>" * 300_000, "image/svg+xml"),
        "mp4 samples": (_mp4(_box(b"stsz", struct.pack("!III", 0, 0, 2**32 - 1))), "video/mp4"),
        "mp4 chunks": (_mp4(_box(b"co64", struct.pack("!II", 0, 2**32 - 1))), "video/mp4"),
        "mp4 box": (_mp4(b"") + _box(b"moov", struct.pack("!Q", 2**63 - 1), size=1), "video/mp4"),
        "wav": (
            b"RIFF\xff\xff\xff\xffWAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, 2, 2**32 - 1, 2**32 - 1, 4, 16)
            + b"data\xff\xff\xff\xff",
            "audio",
        ),
        "mkv": (
            b"\x1aE\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe\x42\x82\x88matroska\x18S\x80g\x01" + b"\xff" * 7,
            "video",
        ),
        "id3": (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7fAPIC\x7f\x7f\x7f\x7f\x00\x00", ""),
        "tiff": (b"II*\x00\x08\x00\x00\x00\xff\xff" + struct.pack("<HHII", 256, 4, 2**32 - 1, 2**31) * 20, ""),
        "zip": (_zip(bytes(PACKED)), "application/zip"),
        "zip in zip": (_zip(_zip(bytes(PACKED))), "application/zip"),
        "docx": (_zip(bytes(PACKED), "[Content_Types].xml"), "application/zip"),
        "gzip": (gzip.compress(bytes(PACKED), 1), "application/gzip"),
        "pdf": (
            b"%PDF-1.7\n1 0 obj<</Filter/FlateDecode/Length 9>>stream\n" + zlib.compress(bytes(PACKED), 1),
            "application/pdf",
        ),
        "json": (b"[" * 500_000, ""),
        "json numbers": (b"[" + b"9" * 900_000 + b"]", ""),
    }


NAMES = (
    "png",
    "png beyond all",
    "bmp",
    "gif",
    "svg laughs",
    "svg from outside",
    "svg deep",
    "mp4 samples",
    "mp4 chunks",
    "mp4 box",
    "wav",
    "mkv",
    "id3",
    "tiff",
    "zip",
    "zip in zip",
    "docx",
    "gzip",
    "pdf",
    "json",
    "json numbers",
)


def described(path: Path) -> Media:
    with path.open("rb") as file:
        return describe(file)


def test_none_is_forgotten() -> None:
    assert set(NAMES) == set(_bombs())


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_looked_at_in_little_memory(tmp_path: Path, name: str) -> None:
    content, media_type = _bombs()[name]
    (tmp_path / "bomb").write_bytes(content)
    with peak() as memory:
        media = described(tmp_path / "bomb")
    assert media.media_type.startswith(media_type)
    assert memory.stays_below(MOST_MIB), memory


@pytest.mark.parametrize("name", ["mp4 samples", "mp4 chunks", "mp4 box", "wav", "mkv", "id3"])
def test_the_process_that_reads_tracks_needs_little_as_well(tmp_path: Path, name: str) -> None:
    (tmp_path / "bomb").write_bytes(_bombs()[name][0])
    with (tmp_path / "bomb").open("rb") as file:
        # Started by a small process, since the system counts what a process had before it became another program.
        done = subprocess.run(
            [sys.executable, "-I", "-c", _MEASURED, track_reader.__file__],
            stdin=file,
            capture_output=True,
            check=True,
        )
    assert int(done.stdout) / 1024 < MOST_OF_READER_MIB


@pytest.mark.parametrize("begin", [b"", b"{", b"PK\x03\x04", b"\x00\x01", b"import os\n"])
async def test_a_large_file_is_looked_at_in_little_memory(tmp_path: Path, begin: bytes) -> None:
    storage = ObjectStorage((tmp_path / "kept").as_uri(), spool_dir=tmp_path)

    async def chunks():
        yield begin
        for _ in range(64):
            yield b"a line of words\n" * 65_536

    with peak() as memory:
        await storage.keep(chunks())
    await storage.close()
    assert memory.stays_below(MOST_MIB), memory


def test_a_picture_that_is_too_large_to_be_one_is_told_by_its_size(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(_bombs()["png"][0])
    media = described(tmp_path / "bomb")
    assert (media.width, media.height) == (SIDE, SIDE)
    (tmp_path / "bomb").write_bytes(_bombs()["png beyond all"][0])
    assert described(tmp_path / "bomb").width is None
