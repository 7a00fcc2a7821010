"""Frames in, a video file out."""

from pathlib import Path
from types import TracebackType

import av
import numpy as np
from numpy.typing import NDArray

_H264 = {"preset": "veryfast", "crf": "20", "threads": "1", "x264-params": "threads=1"}


class Film:
    """Writes H.264 into an MP4 whose index is at the front, so that it plays while it loads.

    One thread and exact flags, so that the same frames are the same bytes.
    """

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._stream = self._container.add_stream("libx264", rate=fps, options=_H264)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """One frame: height, width, and red, green and blue from 0 to 255."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def __enter__(self) -> "Film":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for packet in self._stream.encode():
                self._container.mux(packet)
        self._container.close()
