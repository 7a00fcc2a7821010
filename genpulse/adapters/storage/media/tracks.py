"""Dimensions and duration of audio and video, read by `track_reader` in a process of its own."""

import io
import json
import logging
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

_READER = Path(__file__).with_name("track_reader.py")
_WAIT_S = 15.0
_MOST_AT_ONCE = 1 << 20
_LINE = 1 << 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tracks:
    """`width` and `height` in pixels as shown and `duration_ms` in milliseconds: as the file says, unchecked."""

    pictures: bool = False
    sound: bool = False
    width: object = None
    height: object = None
    duration_ms: object = None


def tracks_of(file: BinaryIO) -> Tracks:
    """Ask a process of its own, which is given 3 seconds of processor time; no tracks when it cannot tell.

    A file of the system is read by the process itself; of any other it is handed the parts that it asks for.
    """
    try:
        return Tracks(**json.loads(_by_itself(file) if _is_of_system(file) else _by_parts(file)))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.info("the tracks of a file could not be read: %s", error)
        return Tracks()


def _is_of_system(file: BinaryIO) -> bool:
    try:
        file.fileno()
    except io.UnsupportedOperation:
        return False
    return True


def _by_itself(file: BinaryIO) -> bytes:
    file.seek(0)
    command = [sys.executable, "-I", str(_READER)]
    return subprocess.run(command, stdin=file, capture_output=True, timeout=_WAIT_S, check=True).stdout


def _by_parts(file: BinaryIO) -> bytes:
    """Each line that it writes asks for bytes, `<start> <length>`, but the last, which tells what it found."""
    command = [sys.executable, "-I", str(_READER), str(file.seek(0, io.SEEK_END))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as reader:
        end = threading.Timer(_WAIT_S, reader.kill)
        end.start()
        try:
            return _served(reader, file)
        finally:
            end.cancel()
            reader.kill()


def _served(reader: subprocess.Popen[bytes], file: BinaryIO) -> bytes:
    asking, giving = _pipe(reader.stdout), _pipe(reader.stdin)
    while line := asking.readline(_LINE):
        if not line[:1].isdigit():
            return line
        start, length = (int(number) for number in line.split())
        file.seek(start)
        giving.write(file.read(min(length, _MOST_AT_ONCE)))
        giving.flush()
    raise ValueError("the reader ended, or was ended after its time")


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the reader has no pipes")
    return stream
