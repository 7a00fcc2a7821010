"""Seven engines, looked at with real decoders."""

import io
import wave
from uuid import uuid4

import av
import numpy as np
import pytest
from PIL import Image

from genpulse.domain.errors import BadInput, ProviderError, TaskCanceled
from genpulse.domain.failure import FailureCode
from genpulse.provider import Attachment, Call, InvalidInput, ProviderSettings
from genpulse.providers.sandbox import provider

SMALL = {
    "image": {"prompt": "a red fox at dawn", "width": 96, "height": 64},
    "video": {"prompt": "a boat", "width": 96, "height": 64, "duration_s": 1, "fps": 8},
    "speech": {"text": "Hello. How are you?"},
    "music": {"prompt": "calm sea", "duration_s": 2},
}


@pytest.fixture(scope="module")
def sandbox():
    return provider(ProviderSettings())


class Told:
    """Takes reports; asks to stop at the given one."""

    def __init__(self, stop_at=None):
        self.fractions = []
        self._stop_at = stop_at

    def __call__(self, fraction, message=None):
        self.fractions.append(fraction)
        if len(self.fractions) == self._stop_at:
            raise TaskCanceled


async def made(sandbox, name, document, told=None, attempt=1):
    (model,) = [model for model in sandbox.models if model.name == name]
    call = Call(name, model.kinds[0], model.parse(document), uuid4(), "gp-1", attempt)
    result = await model.engine.run(call, told or Told())
    return [await content_of(output.content) for output in result.outputs]


async def content_of(content):
    return content if isinstance(content, bytes) else b"".join([chunk async for chunk in content])


@pytest.mark.parametrize("name", SMALL)
async def test_the_same_input_gives_the_same_bytes_and_another_seed_others(sandbox, name):
    one = await made(sandbox, name, SMALL[name])
    assert one == await made(sandbox, name, SMALL[name])
    assert one != await made(sandbox, name, {**SMALL[name], "seed": 1})


@pytest.mark.parametrize("name", SMALL)
async def test_progress_grows_up_to_the_end(sandbox, name):
    told = Told()
    await made(sandbox, name, SMALL[name], told)
    assert told.fractions == sorted(told.fractions)
    assert len(told.fractions) >= 2
    assert 0 <= told.fractions[0] <= told.fractions[-1] <= 1


@pytest.mark.parametrize("name", SMALL)
async def test_work_stops_when_it_is_told_to(sandbox, name):
    told = Told(stop_at=2)
    with pytest.raises(TaskCanceled):
        await made(sandbox, name, SMALL[name], told)
    assert len(told.fractions) == 2


async def test_a_picture_has_its_size_and_says_what_it_is(sandbox):
    (content,) = await made(sandbox, "image", SMALL["image"])
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (96, 64)
    assert "not by a neural model" in picture.text["Comment"]
    assert len(picture.getcolors(96 * 64)) > 500


@pytest.mark.parametrize("prompt", ["night storm", "a whale", "city", "snowy mountains", "ü 世界", "\N{FOX FACE}"])
async def test_every_prompt_gives_a_picture(sandbox, prompt):
    (content,) = await made(sandbox, "image", {"prompt": prompt, "width": 64, "height": 64})
    assert Image.open(io.BytesIO(content)).size == (64, 64)


async def test_a_video_moves_and_has_its_length(sandbox):
    (content,) = await made(sandbox, "video", SMALL["video"])
    with av.open(io.BytesIO(content)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].codec_context.name == "h264"
    assert len(frames) == 8
    assert frames[0].shape == (64, 96, 3)
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 1
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(("name", "rate", "channels"), [("speech", 24_000, 1), ("music", 44_100, 2)])
async def test_sound_is_heard_and_not_cut_off(sandbox, name, rate, channels):
    (content,) = await made(sandbox, name, SMALL[name])
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (rate, channels)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert samples.shape[0] / channels / rate > 0.8
    assert 1000 < np.abs(samples.astype(int)).max() < 32767


class Pictures:
    """Attachments that have one picture."""

    def __init__(self, path, colour, size=(96, 64)):
        self._path = path
        Image.linear_gradient("L").resize(size).convert("RGB").save(path, "PNG")
        with Image.open(path) as gradient:
            Image.blend(gradient, Image.new("RGB", size, colour), 0.5).save(path, "PNG")

    async def fetch(self, _reference):
        return Attachment(self._path, "image/png", self._path.stat().st_size)


NAMED = {"image": "https://example.com/a.png"}


async def remade(sandbox, name, pictures, told=None, **changes):
    (model,) = [model for model in sandbox.models if model.name == name]
    call = Call(name, model.kinds[0], model.parse({**NAMED, **changes}), uuid4(), "gp-1", 1, attachments=pictures)
    (output,) = (await model.engine.run(call, told or Told())).outputs
    return output.content


@pytest.mark.parametrize(("name", "quick"), [("restyle", {}), ("animate", {"duration_s": 1, "fps": 8})])
async def test_another_picture_words_or_seed_give_others_bytes(sandbox, tmp_path, name, quick):
    red, blue = (Pictures(tmp_path / colour, colour) for colour in ("red", "blue"))
    one = await remade(sandbox, name, red, **quick)
    assert one == await remade(sandbox, name, red, **quick)
    others = [
        await remade(sandbox, name, blue, **quick),
        await remade(sandbox, name, red, seed=1, **quick),
        await remade(sandbox, name, red, prompt="at night", **quick),
    ]
    assert len({one, *others}) == 4
    told = Told(stop_at=2)
    with pytest.raises(TaskCanceled):
        await remade(sandbox, name, red, told, **quick)


async def test_a_restyled_picture_looks_like_its_source(sandbox, tmp_path):
    means = []
    for colour in ("red", "blue"):
        content = await remade(sandbox, "restyle", Pictures(tmp_path / colour, colour), longest=64)
        picture = Image.open(io.BytesIO(content))
        assert picture.size == (64, 43)
        assert "not by a neural model" in picture.text["Comment"]
        means.append(np.asarray(picture).mean(axis=(0, 1)))
    assert means[0][0] > means[0][2] + 50
    assert means[1][2] > means[1][0] + 50
    plain = Pictures(tmp_path / "plain", "green")
    same = await remade(sandbox, "restyle", plain, strength=0)
    with Image.open(tmp_path / "plain") as source:
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(same))), np.asarray(source))


async def test_an_animated_picture_moves_and_begins_or_ends_with_its_source(sandbox, tmp_path):
    pictures = Pictures(tmp_path / "odd", "red", (97, 63))
    content = await remade(sandbox, "animate", pictures, duration_s=1, fps=8)
    with av.open(io.BytesIO(content)) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert len(frames) == 8
    assert frames[0].shape == (64, 96, 3)
    assert np.abs(frames[0] - frames[-1]).mean() > 1
    with Image.open(tmp_path / "odd") as source:
        still = np.asarray(source.resize((96, 64)), int)
    assert min(np.abs(frame - still).mean() for frame in (frames[0], frames[-1])) < 8


@pytest.mark.parametrize("content", [b"", b"GIF89a and so on", b"\x89PNG\r\n\x1a\n" + bytes(40)])
async def test_what_is_no_picture_is_the_callers_mistake(sandbox, tmp_path, content):
    pictures = Pictures(tmp_path / "x", "red")
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidInput):
        await remade(sandbox, "restyle", pictures)


async def test_text_that_cannot_be_spoken_is_refused(sandbox):
    with pytest.raises(ProviderError) as caught:
        await made(sandbox, "speech", {"text": "  "})
    assert caught.value.code is FailureCode.INVALID_INPUT


async def test_an_odd_width_is_refused(sandbox):
    (model,) = [model for model in sandbox.models if model.name == "video"]
    with pytest.raises(BadInput, match="does not fit"):
        model.parse({"prompt": "x", "width": 101})


@pytest.mark.parametrize(
    ("fail", "code"),
    [
        ("transient", FailureCode.PROVIDER_UNAVAILABLE),
        ("permanent", FailureCode.PROVIDER_REJECTED),
        ("moderation", FailureCode.MODERATION_BLOCKED),
        ("rate_limited", FailureCode.RATE_LIMITED),
    ],
)
async def test_noop_fails_as_asked_and_as_often(sandbox, fail, code):
    with pytest.raises(ProviderError) as caught:
        await made(sandbox, "noop", {"fail": fail})
    assert caught.value.code is code
    document = {"fail": fail, "fail_times": 2}
    with pytest.raises(ProviderError):
        await made(sandbox, "noop", document, attempt=2)
    assert await made(sandbox, "noop", document, attempt=3) == []


async def test_noop_makes_as_many_bytes_as_asked(sandbox):
    (content,) = await made(sandbox, "noop", {"output_bytes": 200_001})
    assert len(content) == 200_001


async def test_noop_tells_progress_of_a_long_wait(sandbox):
    told = Told()
    await made(sandbox, "noop", {"delay_s": 1.1}, told)
    assert len(told.fractions) >= 2
