"""A program of its own that reads the tracks of the sound or video on its standard input.

libmediainfo can run for minutes on a file of a few kilobytes that somebody has damaged on purpose, and no thread
can be stopped; a process can, and here it stops itself. It imports nothing of GenPulse, so that it starts fast.
"""

import json
import resource
import sys
from typing import BinaryIO

from pymediainfo import MediaInfo, Track

PROCESSOR_S = 3
MEMORY_BYTES = 2 << 30


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
    json.dump(read_tracks(sys.stdin.buffer), sys.stdout)
