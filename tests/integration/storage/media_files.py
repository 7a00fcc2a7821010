"""Real files of each kind, made by the libraries that others make them with."""

import gzip
import io
import json
import struct
import wave
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48
SECOND = 48_000


def picture(kind: str, **options: object) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def turned_picture() -> bytes:
    """A camera held upright: the tag says that it is to be turned by 90 degrees."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", exif=exif)


def moving_picture() -> bytes:
    frames = [Image.new("RGB", (WIDTH, HEIGHT), color) for color in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def video(path: Path, container: str, codec: str, **options: str) -> bytes:
    """One second at ten frames."""
    with av.open(str(path), "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(10):
            pixels = np.full((HEIGHT, WIDTH, 3), number * 20, dtype="uint8")
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        output.mux(stream.encode())
    return path.read_bytes()


def sound(path: Path, container: str, codec: str, rate: int = SECOND, **options: str) -> bytes:
    """One second of a tone."""
    tone = (np.sin(np.arange(rate) / rate * 440 * 2 * np.pi) * 8_000).astype("int16").reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
    frame.sample_rate = rate
    with av.open(str(path), "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        context = stream.codec_context
        resampler = av.AudioResampler(context.format.name, "mono", rate, frame_size=context.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode())
    return path.read_bytes()


def wav() -> bytes:
    """Half a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(24_000)
        output.writeframes(bytes(24_000))
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as output:
        output.writestr("a.txt", "hello")
    return file.getvalue()


def scene() -> bytes:
    """The smallest binary glTF."""
    chunk = json.dumps({"asset": {"version": "2.0"}}).encode()
    chunk += b" " * (-len(chunk) % 4)
    return b"glTF" + struct.pack("<II", 2, 20 + len(chunk)) + struct.pack("<I4s", len(chunk), b"JSON") + chunk


def squeezed() -> bytes:
    return gzip.compress(b"hello")
