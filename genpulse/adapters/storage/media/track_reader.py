"""A program of its own that reads the tracks of the sound or video on its standard input.

Where it is told a size, its standard input is no file: it asks for the bytes that it needs on its standard output.

libmediainfo can run for minutes on a file of a few kilobytes that somebody has damaged on purpose, and no thread
can be stopped; a process can, and here it stops itself. It imports nothing of GenPulse, so that it starts fast.
"""

import io
import json
import os
import resource
import sys
from typing import BinaryIO, cast

from pymediainfo import MediaInfo, Track

PROCESSOR_S = 3
MEMORY_BYTES = 2 << 30


class AskedFile(io.RawIOBase):
    """A file of `size` bytes whose parts whoever has started this program gives as they are asked for."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def seekable(self) -> bool:
        """It can be sought."""
        return True

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where it is read next."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Where it is read next."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, 64 KiB of them."""
        left = max(0, self._size - self._at)
        length = min(left if size < 0 else size, left, 1 << 16)
        if not length:
            return b""
        sys.stdout.write(f"{self._at} {length}\n")
        sys.stdout.flush()
        part = sys.stdin.buffer.read(length)
        self._at += len(part)
        return part


def read_tracks(file: BinaryIO) -> dict[str, object]:
    """`pictures` and `sound` tell what there is, `width` and `height` are those of the first picture as it is
    shown, and `duration_ms` is that of the longest track."""
    tracks = MediaInfo.parse(file).tracks
    pictures = [track for track in tracks if track.track_type == "Video"]
    width, height = _shown_size(pictures[0]) if pictures else (None, None)
    durations = (track.duration for track in tracks)
    return {
        "pictures": bool(pictures),
        "sound": any(track.track_type == "Audio" for track in tracks),
        "width": width,
        "height": height,
        "duration_ms": max(
            (duration for duration in durations if isinstance(duration, int | float)), default=None
        ),
    }


def _shown_size(track: Track) -> tuple[object, object]:
    on_its_side = str(track.rotation or "").split(".")[0] in {"90", "270"}
    return (track.height, track.width) if on_its_side else (track.width, track.height)


def _limit_yourself() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S + 1))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    _limit_yourself()
    file = AskedFile(int(sys.argv[1])) if len(sys.argv) > 1 else sys.stdin.buffer
    json.dump(read_tracks(cast("BinaryIO", file)), sys.stdout)
