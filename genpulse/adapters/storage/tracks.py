"""Dimensions and duration of audio and video, read by `track_reader` in a process of its own."""

import json
import logging
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_READER = Path(__file__).with_name("track_reader.py")
_WAIT_S = 15.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tracks:
    """`width` and `height` in pixels as shown and `duration_ms` in milliseconds: as the file says, unchecked."""

    pictures: bool = False
    sound: bool = False
    width: object = None
    height: object = None
    duration_ms: object = None


def tracks_of(path: Path) -> Tracks:
    """Ask a process of its own, which is given 3 seconds of processor time; no tracks when it cannot tell."""
    try:
        with path.open("rb") as file:
            reader = subprocess.run(
                [sys.executable, "-I", str(_READER)], stdin=file, capture_output=True, timeout=_WAIT_S, check=True
            )
        return Tracks(**json.loads(reader.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.info("the tracks of a file could not be read: %s", error)
        return Tracks()
