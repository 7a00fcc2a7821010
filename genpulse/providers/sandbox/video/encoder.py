"""Frames in, a video file out."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

_BT709 = 1


@dataclass(frozen=True, slots=True)
class Format:
    """How a film is written: the encoder and the file around it."""

    encoder: str
    container: str
    encoding: dict[str, str]
    wrapping: dict[str, str]


MP4 = Format(
    "libx264",
    "mp4",
    {"preset": "veryfast", "crf": "19", "threads": "1", "x264-params": "threads=1:mbtree=0:weightp=0"},
    {"movflags": "+faststart", "fflags": "+bitexact"},
)
WEBM = Format(
    "libvpx-vp9",
    "webm",
    {"deadline": "realtime", "cpu-used": "7", "crf": "30", "b": "0", "threads": "1", "row-mt": "0"},
    {"fflags": "+bitexact"},
)


def best() -> Format:
    """H.264, which plays everywhere, where this build of FFmpeg has an encoder for it; else VP9."""
    return MP4 if MP4.encoder in av.codecs_available else WEBM


class Film:
    """Writes a file that plays while it loads.

    The same frames are the same bytes on the same machine: one thread, exact flags, and for x264 neither `mbtree`
    nor `weightp`, whose AVX-512 code was seen to give other bytes from one run to the next.
    """

    def __init__(self, path: Path, width: int, height: int, fps: int, *, written: Format) -> None:
        self._container = av.open(str(path), "w", format=written.container, options=written.wrapping)
        self._stream = cast(
            "VideoStream", self._container.add_stream(written.encoder, rate=fps, options=written.encoding)
        )
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.colorspace = _BT709
        self._stream.codec_context.color_primaries = _BT709
        self._stream.codec_context.color_trc = _BT709

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """One frame: height, width, and red, green and blue from 0 to 255."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        coded = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        for packet in self._stream.encode(coded):
            self._container.mux(packet)

    def __enter__(self) -> "Film":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for packet in self._stream.encode():
                    self._container.mux(packet)
        finally:
            self._container.close()
