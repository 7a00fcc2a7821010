"""A program of its own that makes a thumbnail of the file on its standard input and writes it as WebP.

Of sound it draws the wave. Decoders of pictures, videos and sound are large, and files may be made to keep them
busy, to fill the memory or to break them. A process can be limited and ended, and a thread cannot. It imports
nothing of GenPulse, so that it starts fast.

It ends with 0 and the WebP on its standard output, or with one of `BROKEN`, `TOO_LARGE` and `EMPTY`.
"""

import contextlib
import os
import resource
import sys
import time
from array import array
from collections.abc import Generator, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageCms, ImageDraw

if TYPE_CHECKING:
    import av

BROKEN = 3
TOO_LARGE = 4
EMPTY = 5
PROCESSOR_S = 10
MEMORY_BYTES = 1 << 30
MOST_PIXELS = 1 << 26
"""That are decoded: 8,192 by 8,192. A JPEG may have four times as many, since it is decoded at a fraction."""

_NICE = 10
_TALLEST = 16_383
_QUALITY = 80
_FORMATS = {
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
}
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf"
_SOUNDS = "wav,mp3,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,aiff,au,amr,ac3,asf"
_SOUND_HZ = 8000
_BLOCK = 80
_MOST_BLOCKS = 4096
_LOUDEST = 32_768
_WAVE = (98, 126, 214)
_BAR, _GAP = 3, 2
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = {_TURNS[number] for number in range(5, 9)}
_FRAMES = 90
_FRAMES_S = 5.0
_LOOK = 64
_BLACK = 48
_SHOWN_SHARE = 0.03
_BRIGHTER = 1.05
_NO_BRIGHTER_FRAMES = 5


class TooLarge(Exception):
    """More pixels than are decoded."""


class Empty(Exception):
    """There is no picture in it."""


def picture(file: BinaryIO, media_type: str, width: int) -> Image.Image:
    """The first frame of a picture, upright, `width` pixels wide or as wide as it is."""
    image = Image.open(file, formats=[_FORMATS[media_type]])
    is_jpeg = image.format in {"JPEG", "MPO"}
    _check_pixels(image, MOST_PIXELS * 4 if is_jpeg else MOST_PIXELS)
    turn = _turn(image)
    size = _fitted(image.size[::-1], width)[::-1] if turn in _ON_ITS_SIDE else _fitted(image.size, width)
    if is_jpeg:
        image.draft(None, (2 * size[0], 2 * size[1]))
    _check_pixels(image, MOST_PIXELS)
    small = _in_srgb(_resized(_eight_bits(image), size), image.info.get("icc_profile"))
    return small if turn is None else small.transpose(turn)


def poster(file: BinaryIO, width: int) -> Image.Image:
    """The first frame of a video; where that is black, the first one at which it gets no brighter."""
    with contextlib.closing(_frames(file)) as frames:
        best = _seen(frames)
    if best is None:
        raise Empty
    image: Image.Image = best.to_image()  # type: ignore[no-untyped-call]
    if best.rotation % 360:
        image = image.rotate(best.rotation, expand=True)
    return _resized(image, _fitted(image.size, width))


def waveform(file: BinaryIO, width: int) -> Image.Image:
    """How loud a sound is from its beginning to its end, as bars; of a very long one what was decoded in time."""
    levels = _levels(file)
    if not levels:
        raise Empty
    height = width * 2 // 5
    image = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(image)
    count = max(1, (width + _GAP) // (_BAR + _GAP))
    loudest = max(max(levels), _LOUDEST // 50)
    for place in range(count):
        begin = place * len(levels) // count
        level = max(levels[begin : max(begin + 1, (place + 1) * len(levels) // count)])
        half, left = max(1, round(level / loudest * (height / 2 - 2))), place * (_BAR + _GAP)
        draw.rectangle((left, height // 2 - half, left + _BAR - 1, height // 2 + half), fill=_WAVE)
    return image


def _levels(file: BinaryIO) -> list[int]:
    """The loudest of each piece of a sound, in at most `_MOST_BLOCKS` pieces."""
    import av

    levels: list[int] = []
    rest, size, until = array("h"), _BLOCK, time.process_time() + _FRAMES_S
    with av.open(file, "r", options={"format_whitelist": _SOUNDS, "protocol_whitelist": ""}) as container:
        if not container.streams.audio:
            raise Empty
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_SOUND_HZ)
        try:
            for frame in container.decode(container.streams.audio[0]):
                for piece in resampler.resample(frame):
                    rest.frombytes(bytes(piece.planes[0])[: piece.samples * 2])
                while len(rest) >= size:
                    block, rest = rest[:size], rest[size:]
                    levels.append(max(max(block), -min(block)))
                if len(levels) > _MOST_BLOCKS:
                    levels = [max(levels[place : place + 2]) for place in range(0, len(levels), 2)]
                    size *= 2
                if time.process_time() > until:
                    break
        except av.FFmpegError:
            if not levels:
                raise
    if rest and not levels:
        levels.append(max(max(rest), -min(rest)))
    return levels


def written(image: Image.Image) -> bytes:
    """As WebP, with nothing in it but pixels."""
    image.info = {}
    file = BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=4)
    return file.getvalue()


def _check_pixels(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise TooLarge


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How it is set upright, from what the camera says of its own position; None where that cannot be read."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a broken tag is no broken picture
        return None


def _fitted(size: tuple[int, int], width: int) -> tuple[int, int]:
    """The size with this width at most, and a height that WebP can have."""
    scale = min(1.0, width / size[0], _TALLEST / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _eight_bits(image: Image.Image) -> Image.Image:
    """In one of the modes that can be resized well: with 8 bits a channel and no palette."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "CMYK":
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB"} else image.convert("L" if image.mode == "1" else "RGB")


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours that are meant where nothing is said, which is the case once the profile is gone."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), outputMode=mode)
            return image if converted is None else converted
    return image if image.mode == "L" else image.convert(mode)


def _frames(file: BinaryIO) -> "Generator[av.VideoFrame]":
    """The first frames; what comes after a broken one is not looked at."""
    import av

    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
    with av.open(file, "r", options=options) as container:
        if not container.streams.video:
            raise Empty
        stream = container.streams.video[0]
        if stream.codec_context.width * stream.codec_context.height > MOST_PIXELS:
            raise TooLarge
        stream.codec_context.thread_count = 1
        count, until = 0, time.process_time() + _FRAMES_S
        try:
            for frame in container.decode(stream):
                yield frame
                count += 1
                if count >= _FRAMES or time.process_time() > until:
                    return
        except av.FFmpegError:
            if not count:
                raise


def _seen(frames: "Iterable[av.VideoFrame]") -> "av.VideoFrame | None":
    best, brightness, count_since = None, -1.0, 0
    for frame in frames:
        plane = bytes(frame.reformat(_LOOK, _LOOK, "gray").planes[0])
        is_first, level, count_since = best is None, sum(plane) / len(plane), count_since + 1
        if level > brightness * _BRIGHTER:
            best, brightness, count_since = frame, level, 0
        is_black = sum(value > _BLACK for value in plane) < len(plane) * _SHOWN_SHARE
        if not is_black and (is_first or count_since >= _NO_BRIGHTER_FRAMES):
            break
    return best


def _image(file: BinaryIO, media_type: str, width: int) -> Image.Image:
    if media_type in _FORMATS:
        return picture(file, media_type, width)
    return waveform(file, width) if media_type.startswith("audio/") else poster(file, width)


def _limit_yourself() -> None:
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S + 1))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    Image.MAX_IMAGE_PIXELS = None


def main(media_type: str, width: int) -> int:
    """Make the thumbnail of what is on the standard input."""
    file = sys.stdin.buffer
    try:
        content = written(_image(file, media_type, width))
    except (TooLarge, MemoryError):
        return TOO_LARGE
    except Empty:
        return EMPTY
    except Exception as error:  # noqa: BLE001 - decoders raise whatever a broken file leads them to
        sys.stderr.write(f"{type(error).__name__}: {error}")
        return BROKEN
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    _limit_yourself()
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
