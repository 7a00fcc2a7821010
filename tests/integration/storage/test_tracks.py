from pathlib import Path

from genpulse.adapters.storage.tracks import Tracks, tracks_of
from tests.integration.storage.media_files import HEIGHT, WIDTH, video, wav

NEVER_ENDING = b"FLV\x01\x01\x00\x00\x00\t\x00\x00\x00\x00\x12\x00\x00\xb8\x00\x00\x00\x00\x80z\x00\naD!D3"
"""Thirty bytes on which libmediainfo works for more than half a minute."""


def test_what_a_video_tells(tmp_path: Path) -> None:
    path = tmp_path / "video"
    video(path, "mp4", "libx264")
    assert tracks_of(path) == Tracks(pictures=True, width=WIDTH, height=HEIGHT, duration_ms=1_000)


def test_what_a_sound_tells(tmp_path: Path) -> None:
    path = tmp_path / "sound"
    path.write_bytes(wav())
    assert tracks_of(path) == Tracks(sound=True, duration_ms=500)


def test_a_file_that_would_take_for_ever_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(NEVER_ENDING)
    assert tracks_of(path) == Tracks()


def test_a_file_that_is_gone_has_no_tracks(tmp_path: Path) -> None:
    assert tracks_of(tmp_path / "nothing") == Tracks()
