import io
from pathlib import Path

import pytest

from genpulse.adapters.storage.media.tracks import Tracks, tracks_of
from tests.integration.storage.media_files import HEIGHT, WIDTH, video, wav

NEVER_ENDING = b"FLV\x01\x01\x00\x00\x00\t\x00\x00\x00\x00\x12\x00\x00\xb8\x00\x00\x00\x00\x80z\x00\naD!D3"
"""Thirty bytes on which libmediainfo works for more than half a minute."""


@pytest.fixture(params=["a file of the system", "parts"])
def looked_at(request: pytest.FixtureRequest, tmp_path: Path):
    def look(content: bytes) -> Tracks:
        if request.param == "parts":
            return tracks_of(io.BytesIO(content))
        (tmp_path / "file").write_bytes(content)
        with (tmp_path / "file").open("rb") as file:
            return tracks_of(file)

    return look


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "webm", "mpegts", "avi"])
def test_what_a_video_tells(tmp_path: Path, looked_at, container: str) -> None:
    path = tmp_path / "video"
    video(path, container, "libvpx" if container == "webm" else "libx264")
    tracks = looked_at(path.read_bytes())
    assert (tracks.pictures, tracks.width, tracks.height) == (True, WIDTH, HEIGHT)
    with path.open("rb") as file:
        assert tracks == tracks_of(file)


def test_what_a_sound_tells(looked_at) -> None:
    assert looked_at(wav()) == Tracks(sound=True, duration_ms=500)


@pytest.mark.parametrize(
    "looked_at", ["a file of the system", pytest.param("parts", marks=pytest.mark.slow)], indirect=True
)
def test_a_file_that_would_take_for_ever_is_given_up(looked_at) -> None:
    assert looked_at(NEVER_ENDING) == Tracks()


def test_an_empty_file_has_no_tracks(looked_at) -> None:
    assert looked_at(b"") == Tracks()


def test_what_breaks_while_it_is_read_is_told() -> None:
    class Broken(io.BytesIO):
        def read(self, *_size):
            raise RuntimeError("away")

    with pytest.raises(RuntimeError, match="away"):
        tracks_of(Broken(wav()))
