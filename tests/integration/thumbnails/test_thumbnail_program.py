"""Thumbnails of every kind of picture and video, and of what is none."""

import io
import struct
from functools import cache, partial
from itertools import count
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from genpulse.adapters.thumbnails import thumbnail_program as program

WIDE, HIGH = 240, 160
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 60), (30, 60, 220), (240, 240, 240)
NEAR = 24
"""So far may a colour be from what it was, of 255: pictures are compressed twice."""


def quarters(mode: str = "RGB", size: tuple[int, int] = (WIDE, HIGH)) -> Image.Image:
    """Red, green, blue and white, from the top left to the bottom right."""
    image = Image.new("RGB", (2, 2))
    image.putdata([RED, GREEN, BLUE, WHITE])
    return image.resize(size, Image.Resampling.NEAREST).convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def thumbnail(content: bytes, media_type: str, width: int = 64) -> Image.Image:
    file = io.BytesIO(content)
    made = (
        program.picture(file, media_type, width) if media_type in program._FORMATS else program.poster(file, width)
    )
    return Image.open(io.BytesIO(program.written(made)))


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters."""
    shown, (width, height) = image.convert("RGB"), image.size
    return [shown.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]


def assert_colors(image: Image.Image, *expected: tuple[int, int, int]) -> None:
    assert np.abs(np.subtract(corners(image), expected)).max() <= NEAR, corners(image)


def gray_16_bits() -> bytes:
    ramp = np.linspace(0, 65_535, WIDE).astype("uint16")
    return saved(Image.fromarray(np.tile(ramp, (HIGH, 1))), "PNG")


def palette_with_holes() -> bytes:
    image = quarters().quantize(4)
    return saved(image, "PNG", transparency=image.getpixel((1, 1)))


def moving(kind: str) -> bytes:
    return saved(quarters(), kind, save_all=True, append_images=[Image.new("RGB", (WIDE, HIGH), RED)], quality=90)


PICTURES = {
    "png": (partial(saved, quarters(), "PNG"), "image/png"),
    "png interlaced": (partial(saved, quarters(), "PNG", interlace=1), "image/png"),
    "png of a palette": (partial(saved, quarters("P"), "PNG"), "image/png"),
    "png with alpha": (partial(saved, quarters("RGBA"), "PNG"), "image/png"),
    "jpeg": (partial(saved, quarters(), "JPEG"), "image/jpeg"),
    "jpeg progressive": (partial(saved, quarters(), "JPEG", progressive=True), "image/jpeg"),
    "jpeg in CMYK": (partial(saved, quarters("CMYK"), "JPEG"), "image/jpeg"),
    "webp": (partial(saved, quarters(), "WEBP"), "image/webp"),
    "webp lossless": (partial(saved, quarters("RGBA"), "WEBP", lossless=True), "image/webp"),
    "webp moving": (partial(moving, "WEBP"), "image/webp"),
    "gif": (partial(saved, quarters(), "GIF"), "image/gif"),
    "gif moving": (partial(moving, "GIF"), "image/gif"),
    "apng": (partial(moving, "PNG"), "image/png"),
    "avif": (partial(saved, quarters(), "AVIF"), "image/avif"),
    "bmp": (partial(saved, quarters(), "BMP"), "image/bmp"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_did(name: str) -> None:
    make, media_type = PICTURES[name]
    small = thumbnail(make(), media_type)
    assert (small.format, small.size) == ("WEBP", (64, 43))
    assert_colors(small, RED, GREEN, BLUE, WHITE)


def test_gray_of_16_bits_is_not_cut_off() -> None:
    small = thumbnail(gray_16_bits(), "image/png")
    row = [small.convert("L").getpixel((x, 20)) for x in (8, 32, 56)]
    assert np.abs(np.subtract(row, [34, 129, 225])).max() <= NEAR


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_gray_stays_gray(mode: str) -> None:
    small = thumbnail(saved(quarters("L").convert(mode), "PNG"), "image/png")
    assert all(max(color) - min(color) <= 2 for color in corners(small))
    assert corners(small)[3][0] > 200 > corners(small)[2][0]


@pytest.mark.parametrize("content", [palette_with_holes, lambda: saved(clear_quarter(), "PNG")])
def test_what_can_be_seen_through_still_can(content) -> None:
    small = thumbnail(content(), "image/png")
    assert small.mode == "RGBA"
    assert [small.getpixel((x, y))[3] for y in (10, 32) for x in (16, 48)] == [0, 255, 255, 255]


def clear_quarter() -> Image.Image:
    image = quarters("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, WIDE // 2, HIGH // 2))
    return image


TURNED = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
    9: (RED, GREEN, BLUE, WHITE),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_a_turned_camera_is_set_upright_and_says_nothing_more(orientation: int) -> None:
    kind = ("JPEG", "PNG", "WEBP")[orientation % 3]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "the maker of the camera"
    small = thumbnail(saved(quarters(), kind, exif=exif), f"image/{kind.lower()}")
    assert small.size == ((64, 96) if 5 <= orientation <= 8 else (64, 43))
    assert_colors(small, *TURNED[orientation])
    assert not small.getexif()
    assert not {"exif", "icc_profile", "xmp"} & set(small.info)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b""])
def test_broken_words_of_a_camera_do_not_break_the_picture(exif: bytes) -> None:
    assert_colors(thumbnail(saved(quarters(), "JPEG", exif=exif), "image/jpeg"), RED, GREEN, BLUE, WHITE)


def test_colours_of_a_profile_are_those_that_were_meant() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (lab, b"no profile"):
        content = saved(quarters(), "PNG", icc_profile=profile)
        small = thumbnail(content, "image/png")
        assert_colors(small, RED, GREEN, BLUE, WHITE)
        assert "icc_profile" not in small.info


@given(
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.sampled_from([64, 160, 320, 640, 1280]),
    st.sampled_from(["PNG", "JPEG", "GIF"]),
)
def test_the_width_is_what_was_asked_or_its_own_and_the_shape_stays(size, width: int, kind: str) -> None:
    small = thumbnail(saved(quarters(size=size), kind), f"image/{kind.lower()}", width)
    assert small.width == min(width, size[0])
    assert abs(small.height - size[1] * small.width / size[0]) <= 0.5 or small.height == 1


@pytest.mark.parametrize(
    ("size", "expected"), [((1, 1), (1, 1)), ((20_000, 1), (64, 1)), ((4, 60_000), (1, 16_383))]
)
def test_odd_shapes(size, expected) -> None:
    assert thumbnail(saved(Image.new("RGB", size), "PNG"), "image/png").size == expected


def video(path: Path, container: str, codec: str, levels, size=(WIDE, HIGH)) -> bytes:
    """The quarters in 25 frames a second, each as bright as `levels` say, from 0 to 1."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for level in levels:
            pixels = (np.asarray(quarters(size=size)) * level).astype("uint8")
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        output.mux(stream.encode())
    return path.read_bytes()


VIDEOS = {
    "mp4": ("mp4", "h264", "video/mp4"),
    "quicktime": ("mov", "mpeg4", "video/quicktime"),
    "webm": ("webm", "libvpx-vp9", "video/webm"),
    "matroska": ("matroska", "h264", "video/x-matroska"),
    "avi": ("avi", "mpeg4", "video/x-msvideo"),
    "transport stream": ("mpegts", "mpeg2video", "video/mp2t"),
}
FADES = {
    "at once": [1, 1, 1],
    "after black": [0] * 12 + [1] * 6,
    "out of black": [0] * 4 + [step / 10 for step in range(10)] + [1] * 8,
    "one frame": [1],
}


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_shows_a_frame_that_is_not_black(tmp_path: Path, name: str) -> None:
    container, codec, media_type = VIDEOS[name]
    small = thumbnail(video(tmp_path / "video", container, codec, FADES["after black"]), media_type)
    assert small.size == (64, 43)
    assert_colors(small, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("fade", FADES)
def test_a_fade_is_waited_for(tmp_path: Path, fade: str) -> None:
    assert_colors(
        thumbnail(video(tmp_path / "video", "mp4", "h264", FADES[fade]), "video/mp4"), RED, GREEN, BLUE, WHITE
    )


def test_a_black_video_has_a_black_thumbnail(tmp_path: Path) -> None:
    small = thumbnail(video(tmp_path / "video", "mp4", "h264", [0] * 5), "video/mp4")
    assert max(max(color) for color in corners(small)) < NEAR


def test_what_is_bright_at_once_is_shown_though_it_gets_brighter(tmp_path: Path) -> None:
    small = thumbnail(video(tmp_path / "video", "mp4", "h264", [0.6] + [1] * 10), "video/mp4")
    assert corners(small)[3][0] < 170


MATRICES = {
    90: ((0, 1, -1, 0), (BLUE, RED, WHITE, GREEN)),
    180: ((-1, 0, 0, -1), (WHITE, BLUE, GREEN, RED)),
    270: ((0, -1, 1, 0), (GREEN, WHITE, RED, BLUE)),
}


@pytest.mark.parametrize("degrees", MATRICES)
def test_a_turned_video_is_set_upright(tmp_path: Path, degrees: int) -> None:
    content = video(tmp_path / "video", "mp4", "h264", [1, 1])
    track, matrix = content.index(b"tkhd"), struct.Struct(">9i")
    (a, b, c, d), expected = MATRICES[degrees]
    turned = matrix.pack(a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    content = content[: track + 44] + turned + content[track + 44 + len(turned) :]
    small = thumbnail(content, "video/mp4")
    assert small.size == ((64, 43) if degrees == 180 else (64, 96))
    assert_colors(small, *expected)


def test_a_video_that_breaks_off_shows_what_came_before(tmp_path: Path) -> None:
    content = video(tmp_path / "video", "matroska", "mpeg4", [1] * 50)
    assert_colors(thumbnail(content[: len(content) // 2], "video/x-matroska"), RED, GREEN, BLUE, WHITE)


@cache
def sound() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "float32"), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for packet in (*stream.encode(frame), *stream.encode()):
            output.mux(packet)
    return file.getvalue()


def without_frames(tmp_path: Path) -> bytes:
    content = video(tmp_path / "video", "mp4", "h264", [1, 1])
    samples = content.index(b"stsz")
    return content[: samples + 12] + struct.pack(">I", 0) + content[samples + 16 :]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_is_cut_off_is_refused(name: str) -> None:
    make, media_type = PICTURES[name]
    content = make()
    for length in [0, 1, 8, 40, len(content) // 3]:
        with pytest.raises((OSError, SyntaxError, ValueError, EOFError)):
            thumbnail(content[:length], media_type)


def test_words_are_no_picture() -> None:
    for other in program._FORMATS:
        with pytest.raises(Image.UnidentifiedImageError):
            thumbnail(b"just words that somebody has named fox.png", other)


def test_sound_is_no_video() -> None:
    with pytest.raises(program.Empty):
        thumbnail(sound(), "video/mp4")


@pytest.mark.parametrize(
    "content",
    [b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n", b"", b"\0" * 4096],
)
def test_lists_of_other_files_are_no_video(content: bytes) -> None:
    with pytest.raises((av.FFmpegError, ValueError)):
        thumbnail(content, "video/mp4")


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises((program.Empty, av.FFmpegError)):
        thumbnail(without_frames(tmp_path), "video/mp4")


def test_no_more_frames_than_needed_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, looked = video(tmp_path / "video", "mp4", "h264", [0] * 150), count()
    frames = program._frames(io.BytesIO(content))
    assert sum(next(looked) >= 0 for _ in frames) == program._FRAMES


def tone(levels, *, hz: int = 8000, kind: str = "wav") -> bytes:
    """A second of each loudness, from 0 to 1."""
    wave = np.concatenate([np.sin(np.arange(hz) / 5) * level for level in levels])
    file = io.BytesIO()
    codec, form = {"wav": ("pcm_s16le", "s16"), "flac": ("flac", "s16"), "ogg": ("libopus", "flt")}[kind]
    with av.open(file, "w", format=kind) as output:
        stream = output.add_stream(codec, rate=48_000 if kind == "ogg" else hz, layout="mono")
        frame = av.AudioFrame.from_ndarray((wave[None, :] * 32_000).astype("int16"), format="s16", layout="mono")
        frame.sample_rate = hz
        resampler = av.AudioResampler(format=form, layout="mono", rate=stream.rate, frame_size=960)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            for packet in stream.encode(piece):
                output.mux(packet)
        for packet in stream.encode():
            output.mux(packet)
    return file.getvalue()


def heights(image: Image.Image) -> list[int]:
    """How high the wave is in each column that has a bar."""
    alpha = image.getchannel("A")
    columns = [alpha.crop((x, 0, x + 1, image.height)).getbbox() for x in range(image.width)]
    return [box[3] - box[1] for box in columns if box]


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_sound_is_drawn_as_its_wave(kind: str) -> None:
    drawn = program._image(io.BytesIO(tone([0.2, 1], kind=kind)), "audio/x", 320)
    image = Image.open(io.BytesIO(program.written(drawn)))
    assert (image.format, image.size) == ("WEBP", (320, 128))
    found = heights(image.convert("RGBA"))
    soft, loud = found[10 : len(found) // 2 - 10], found[len(found) // 2 + 10 : -10]
    assert max(soft) < min(loud) / 2
    assert max(loud) > 100


def test_a_long_sound_is_drawn_whole_and_silence_as_a_line() -> None:
    long = heights(program.waveform(io.BytesIO(tone([*[0.1] * 99, 1])), 320))
    assert (max(long[:100]) < 30, max(long[-3:]) > 100) == (True, True)
    assert set(heights(program.waveform(io.BytesIO(sound()), 64))) <= {2, 3}


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
def test_what_is_no_sound_has_no_wave(content: bytes) -> None:
    with pytest.raises((av.FFmpegError, ValueError)):
        program.waveform(io.BytesIO(content), 320)


def test_a_film_without_sound_has_no_wave(tmp_path: Path) -> None:
    with pytest.raises(program.Empty):
        program.waveform(io.BytesIO(video(tmp_path / "video", "mp4", "h264", [1, 1])), 320)
