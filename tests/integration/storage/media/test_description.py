import random
from collections.abc import Callable
from pathlib import Path

import pytest

from genpulse.adapters.storage.media.description import Media, describe
from tests.integration.storage.media_files import (
    HEIGHT,
    WIDTH,
    moving_picture,
    picture,
    sound,
    turned_picture,
    video,
    wav,
)


def described(tmp_path: Path, content: bytes) -> Media:
    path = tmp_path / "genpulse-spooled"
    path.write_bytes(content)
    with path.open("rb") as file:
        return describe(file)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif", "avif", "bmp", "tiff"])
def test_pictures(tmp_path: Path, kind: str) -> None:
    assert described(tmp_path, picture(kind.upper())) == Media(f"image/{kind}", WIDTH, HEIGHT)


def test_pictures_that_are_out_of_the_ordinary(tmp_path: Path) -> None:
    assert described(tmp_path, turned_picture()) == Media("image/jpeg", HEIGHT, WIDTH)
    assert described(tmp_path, moving_picture()) == Media("image/gif", WIDTH, HEIGHT)
    assert described(tmp_path, picture("JPEG", progressive=True)) == Media("image/jpeg", WIDTH, HEIGHT)
    assert described(tmp_path, picture("WEBP", lossless=True)) == Media("image/webp", WIDTH, HEIGHT)


def test_a_drawing_has_no_pixels(tmp_path: Path) -> None:
    assert described(tmp_path, b'<svg width="10" height="20"/>') == Media("image/svg+xml")


@pytest.mark.parametrize(
    ("container", "codec", "options", "media_type"),
    [
        ("mp4", "libx264", {}, "video/mp4"),
        ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}, "video/mp4"),
        ("mov", "libx264", {}, "video/quicktime"),
        ("webm", "libvpx", {}, "video/webm"),
        ("matroska", "libx264", {}, "video/x-matroska"),
    ],
)
def test_videos(tmp_path: Path, container: str, codec: str, options: dict[str, str], media_type: str) -> None:
    content = video(tmp_path / "video", container, codec, **options)
    assert described(tmp_path, content) == Media(media_type, WIDTH, HEIGHT, 1.0)


@pytest.mark.parametrize(
    ("container", "codec", "rate", "options", "media_type"),
    [
        ("mp3", "libmp3lame", 48_000, {}, "audio/mpeg"),
        ("mp3", "libmp3lame", 24_000, {"id3v2_version": "0", "write_xing": "0"}, "audio/mpeg"),
        ("ogg", "libopus", 48_000, {}, "audio/ogg"),
        ("flac", "flac", 48_000, {}, "audio/flac"),
        ("ipod", "aac", 48_000, {}, "audio/mp4"),
        ("mp4", "aac", 48_000, {}, "audio/mp4"),
        ("webm", "libopus", 48_000, {}, "audio/webm"),
        ("wav", "pcm_s16le", 48_000, {}, "audio/wav"),
    ],
)
def test_sounds(
    tmp_path: Path, container: str, codec: str, rate: int, options: dict[str, str], media_type: str
) -> None:
    media = described(tmp_path, sound(tmp_path / "sound", container, codec, rate, **options))
    assert (media.media_type, media.width, media.height) == (media_type, None, None)
    assert media.duration_s == pytest.approx(1.0, abs=0.15)


def test_a_wave_file(tmp_path: Path) -> None:
    assert described(tmp_path, wav()) == Media("audio/wav", duration_s=0.5)


def test_aac_without_a_container(tmp_path: Path) -> None:
    assert described(tmp_path, sound(tmp_path / "sound", "adts", "aac")).media_type == "audio/aac"


def test_two_bytes_alone_are_no_sound(tmp_path: Path) -> None:
    assert described(tmp_path, b"\xff\xfb\x90" + bytes(200)) == Media("application/octet-stream")


def test_a_picture_that_lies_about_its_size_has_none(tmp_path: Path) -> None:
    content = bytearray(picture("PNG"))
    content[16:20] = b"\xff\xff\xff\xff"
    assert described(tmp_path, bytes(content)) == Media("image/png")


def test_a_directory_of_sounds_without_sound(tmp_path: Path) -> None:
    """A video that was cut off keeps its type, and has neither size nor duration."""
    content = video(tmp_path / "video", "mp4", "libx264")
    assert described(tmp_path, content[:100]) == Media("video/mp4")


@pytest.mark.parametrize(
    "make",
    [
        lambda: picture("PNG"),
        lambda: picture("JPEG"),
        lambda: picture("WEBP"),
        lambda: picture("AVIF"),
        lambda: picture("TIFF"),
        moving_picture,
    ],
)
def test_damaged_pictures_are_described_too(tmp_path: Path, make: Callable[[], bytes]) -> None:
    whole = make()
    chance = random.Random(7)
    for _ in range(150):
        content = bytearray(whole[: chance.randrange(1, len(whole))])
        for _ in range(chance.choice([0, 1, 5, 50])):
            content[chance.randrange(min(len(content), 256))] = chance.randrange(256)
        media = described(tmp_path, bytes(content))
        assert (media.width is None) == (media.height is None)
        assert media.width is None or 0 < media.width < 1 << 31


def test_damaged_sounds_and_videos_are_described_too(tmp_path: Path) -> None:
    chance = random.Random(7)
    for whole in (video(tmp_path / "v", "mp4", "libx264"), sound(tmp_path / "s", "mp3", "libmp3lame"), wav()):
        for _ in range(4):
            content = bytearray(whole[: chance.randrange(1, len(whole))])
            for _ in range(20):
                content[chance.randrange(min(len(content), 256))] = chance.randrange(256)
            assert described(tmp_path, bytes(content)).media_type
