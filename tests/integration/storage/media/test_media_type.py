from pathlib import Path

import pytest

from genpulse.adapters.storage.media.media_type import media_type_of
from tests.integration.storage import media_files

SVG = "image/svg+xml"
SVG_DOCTYPE = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd" [ <!ENTITY a "b"> ]>'


def type_of(tmp_path: Path, content: bytes | str) -> str:
    path = tmp_path / "genpulse-spooled"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with path.open("rb") as file:
        return media_type_of(file)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        ("hello world\n", "text/plain"),
        ("Grüße 日本語", "text/plain"),
        ("\ufeffhello", "text/plain"),
        ("12", "text/plain"),
        ("BM is how this note begins", "text/plain"),
        ("\x1b[31mred\x1b[0m", "text/plain"),
        ("<?xml version='1.0'?><root/>", "text/plain"),
        ("{}", "application/json"),
        ('\n  {"a": [1, "ü"]}\n', "application/json"),
        ("[1]", "application/json"),
        ('{"a": ', "text/plain"),
        ("[" * 100_000, "text/plain"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', SVG),
        ("<?xml version='1.0'?>\n<!-- drawn -->\n<svg width='1'></svg>", SVG),
        (f"<?xml version='1.0'?>{SVG_DOCTYPE}\n<!-- a --><!-- b -->\n<svg:svg/>", SVG),
        ('<ns0:svg xmlns:ns0="http://www.w3.org/2000/svg"/>', SVG),
        ("<?xml version='1.0'?><!DOCTYPE g:svg><g:svg/>", SVG),
        ("<ns0:svgx/>", "text/plain"),
        ("<!DOCTYPE html><html></html>", "text/html"),
        ("  \n<HTML><head></head></HTML>", "text/html"),
        ("<!-- <svg> --><script>alert(1)</script>", "text/html"),
        ("\ufeff<script>alert(1)</script>", "text/html"),
        ("<p>text</p><svg onload=alert(1)>", "text/html"),
        ("<!--" * 20_000, "text/plain"),
        ("<!---->" * 9_000 + "<html>", "text/html"),
        ("%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "application/pdf"),
        (b"", "application/octet-stream"),
        (bytes(5_000), "application/octet-stream"),
        ("Grüße".encode("latin-1"), "application/octet-stream"),
        ("hello".encode("utf-16"), "application/octet-stream"),
        (b"MZ\x90\x00\x03\x00", "application/vnd.microsoft.portable-executable"),
        (b"\xff", "application/octet-stream"),
    ],
)
def test_text_and_what_is_none(tmp_path: Path, content: bytes | str, media_type: str) -> None:
    assert type_of(tmp_path, content) == media_type


def test_a_character_that_lies_across_the_end_of_what_is_looked_at(tmp_path: Path) -> None:
    for before in range(65_530, 65_540):
        assert type_of(tmp_path, "a" * before + "日本" * 100) == "text/plain"


def test_text_that_is_broken_far_from_the_start_is_still_seen_as_text_only_there(tmp_path: Path) -> None:
    assert type_of(tmp_path, b"a" * 1_000 + b"\xff" * 10) == "application/octet-stream"


def test_json_beyond_a_mebibyte_is_text(tmp_path: Path) -> None:
    assert type_of(tmp_path, "[" + " " * (1 << 20) + "]") == "text/plain"


@pytest.mark.parametrize(
    ("brands", "media_type"),
    [
        (b"isom", "video/mp4"),
        (b"dash", "video/mp4"),
        (b"iso6", "video/mp4"),
        (b"never-seen", "video/mp4"),
        (b"qt  ", "video/quicktime"),
        (b"M4A ", "audio/mp4"),
        (b"3gp4", "video/3gpp"),
        (b"avif", "image/avif"),
        (b"heic", "image/heic"),
        (b"mif1\0\0\0\0mif1avif", "image/avif"),
        (b"mif1\0\0\0\0mif1heic", "image/heic"),
        (b"mif1\0\0\0\0mif1", "image/heif"),
    ],
)
def test_the_brands_of_the_iso_container(tmp_path: Path, brands: bytes, media_type: str) -> None:
    box = b"ftyp" + brands.ljust(8, b"\0")
    assert type_of(tmp_path, (len(box) + 4).to_bytes(4, "big") + box + bytes(100)) == media_type


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (media_files.archive, "application/zip"),
        (media_files.scene, "model/gltf-binary"),
        (media_files.squeezed, "application/gzip"),
    ],
)
def test_what_is_neither_text_nor_plays(tmp_path: Path, content: object, media_type: str) -> None:
    assert callable(content)
    assert type_of(tmp_path, content()) == media_type
