"""Servers that speak like OpenAI pass the conformance kit: pictures, background pictures, speech, videos."""

import base64
from collections.abc import AsyncIterator

import pytest

from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.upload import upload
from genpulse.provider import ProviderSettings
from genpulse.providers.openai_compatible import openai, provider
from genpulse.testing import CHECKS, Body, Check, OddAnswer, Oddity, Phase, Situation, Subject
from genpulse.testing.rig import rig
from genpulse.testing.server import KEY, PNG
from tests.conformance.conftest import Note
from tests.conformance.subjects import (
    COMFYUI_LACKS,
    MODELS,
    OPENAI_LACKS,
    build_openai_compatible,
    of_openai_compatible,
)
from tests.fakes.openai_compatible import FakeOpenAI


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    fake = FakeOpenAI()
    async with fake.running():
        yield fake


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_openai_compatible(check: Check, model: str, fake: FakeOpenAI, note: Note) -> None:
    await note(f"openai_compatible {MODELS[model]}", check, of_openai_compatible(fake, model))


async def run(subject: Subject):
    async with rig(subject) as bench:
        async with bench.worker():
            ended = await bench.ended(await bench.submit())
        return ended, await bench.content(ended)


async def test_pictures_go_along_as_files_and_what_only_one_server_knows_as_it_is(fake):
    async def chunks() -> AsyncIterator[bytes]:
        yield PNG

    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    async with rig(of_openai_compatible(fake, "flux")) as bench:
        asset = await upload(bench.services, chunks(), limit_bytes=1000)
        wanted = {"images": [f"asset:{asset.id}"], "mask": uri, "extra": {"guidance": 3.5}, "size": "64x64"}
        bench = type(bench)(of_openai_compatible(fake, "flux", **wanted), bench.services)
        async with bench.worker():
            assert (await bench.ended(await bench.submit())).status is TaskStatus.SUCCEEDED
    (body,) = fake.bodies
    assert body == {
        "model": "flux",
        "prompt": "x",
        "n": "1",
        "size": "64x64",
        "guidance": "3.5",
        "image": PNG,
        "mask": PNG,
    }


async def test_a_video_begins_with_a_picture(fake):
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    ended, contents = await run(of_openai_compatible(fake, "wan", image=uri, seconds=5, size="64x64"))
    assert contents == (PNG,), ended.error
    (body,) = fake.bodies
    assert body == {"model": "wan", "prompt": "x", "seconds": "5", "size": "64x64", "input_reference": PNG}


@pytest.mark.parametrize("content", [b"{}", b"<html>", b"", b"not base64!"])
async def test_a_picture_that_is_none_is_not_kept(fake, content):
    fake._pictures = lambda: [
        {"b64_json": base64.b64encode(content).decode() if content != b"not base64!" else "%%"}
    ]
    ended, _ = await run(of_openai_compatible(fake, "flux"))
    assert ended.error.code == "output_unavailable"


async def test_what_a_model_does_not_take_is_refused_with_its_place(fake):
    with pytest.raises(Exception, match="does not fit") as caught:
        await run(of_openai_compatible(fake, "flux", guidance=3.5))
    assert [problem.pointer for problem in caught.value.problems] == ["/input/guidance"]
    assert fake.submits == 0


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "application/octet-stream"])
async def test_speech_is_told_by_its_bytes(fake, media_type):
    fake.meet(Oddity(Phase.ORDER, OddAnswer(headers={"Content-Type": media_type})))
    ended, contents = await run(of_openai_compatible(fake, "kokoro"))
    assert len(contents) == 1, ended.error


@pytest.mark.parametrize("body", [Body.HTML, Body.WORDS, Body.TEXT])
async def test_what_is_no_speech_is_no_success(fake, body):
    fake.meet(Oddity(Phase.ORDER, OddAnswer(200, body, words="the voice is not known")))
    ended, contents = await run(of_openai_compatible(fake, "kokoro"))
    assert (ended.status, contents) == (TaskStatus.FAILED, ())
    assert ended.error.charged != "no"
    assert any(word in ended.error.message for word in ("Bad Gateway", "the voice", "upstream"))


async def test_azure_has_another_header_and_a_version():
    fake = FakeOpenAI("api-key", KEY)
    async with fake.running():
        options = {"azure": True, "api_version": "2030-01-01"}
        subject = Subject(
            build_openai_compatible, fake, "my_server/flux", {"prompt": "x"}, "text-to-image", options=options
        )
        ended, _ = await run(subject)
    assert ended.status is TaskStatus.SUCCEEDED
    assert fake.queries == [{"api-version": "2030-01-01"}]


def test_openai_needs_a_key_alone_and_more_models_can_be_added():
    bare = openai(ProviderSettings())
    assert (bare.name, bare.paid, bare.configured) == ("openai", True, False)
    more = openai(ProviderSettings(api_key="k", models={"gpt-6": "background"}))
    assert {model.name for model in more.models} == {*(model.name for model in bare.models), "gpt-6"}
    assert more.configured


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (ProviderSettings(name="x"), "base_url"),
        (
            ProviderSettings(name="x", base_url="http://h", models={"m": "dance"}),
            "image, background, speech or video",
        ),
    ],
)
def test_what_is_missing_is_named(settings, word):
    with pytest.raises(ValueError, match=word):
        provider(settings)


def test_every_lack_is_of_a_situation_or_of_a_phase():
    known = {one.name.lower() for one in (*Situation, *Phase)} | {"notices"}
    assert all(set(lacks) <= known for lacks in (COMFYUI_LACKS, *OPENAI_LACKS.values()))
