"""Servers that speak like OpenAI pass the conformance kit: pictures, background pictures, speech, videos."""

import base64
from collections.abc import AsyncIterator

import pytest

from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.upload import upload
from genpulse.provider import Provider, ProviderSettings
from genpulse.providers.openai_compatible import OPENAI_MODELS, openai, provider
from genpulse.testing import CHECKS, Check, Situation, Subject
from genpulse.testing.rig import rig
from genpulse.testing.server import KEY, PNG
from tests.conformance.conftest import Note
from tests.fakes.openai_compatible import SECRET, FakeOpenAI

MODELS = {"flux": "image", "gpt": "background", "kokoro": "speech", "wan": "video"}
AT_ONCE = "it answers at once: there is no job"
_NO_JOB = dict.fromkeys(("slow", "odd_status", "poll_down", "poll_dropped", "job_failed", "notices"), AT_ONCE)
IN_THE_ANSWER = "the output is in the answer"
_NO_ADDRESS = dict.fromkeys(
    ("short_lived_output", "gone_output", "inside_output", "redirected_output", "broken_output"), IN_THE_ANSWER
)
LACKS = {
    "flux": _NO_JOB,
    "kokoro": {**_NO_JOB, **_NO_ADDRESS, "garbled_answer": "the answer is no JSON"},
    "gpt": {
        **_NO_ADDRESS,
        "empty_output": IN_THE_ANSWER,
    },
    "wan": {
        "notices": "videos tell nothing",
        "no_output": "a video that is completed has content",
        "inside_output": "its address is the server's own",
    },
}
INPUTS = {"kokoro": {"text": "a fox"}, "flux": {"prompt": "x"}, "gpt": {"prompt": "x"}, "wan": {"prompt": "x"}}


def build(settings: ProviderSettings) -> Provider:
    options = {"webhook_secret": SECRET, "paid": True, **settings.options}
    return provider(
        ProviderSettings(settings.api_key, settings.base_url, options, settings.http, MODELS, "my_server")
    )


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    fake = FakeOpenAI()
    async with fake.running():
        yield fake


def subject_of(fake: FakeOpenAI, model: str, **wanted: object) -> Subject:
    kinds = {"flux": "text-to-image", "wan": "text-to-video"}
    return Subject(
        build, fake, f"my_server/{model}", {**INPUTS[model], **wanted}, kinds.get(model), lacks=LACKS[model]
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_openai_compatible(check: Check, model: str, fake: FakeOpenAI, note: Note) -> None:
    fake.by_url = model == "flux"
    await note(f"openai_compatible {MODELS[model]}", check, subject_of(fake, model))


async def run(subject: Subject):
    async with rig(subject) as bench:
        async with bench.worker():
            ended = await bench.ended(await bench.submit())
        return ended, await bench.content(ended)


async def test_pictures_go_along_as_files_and_what_only_one_server_knows_as_it_is(fake):
    async def chunks() -> AsyncIterator[bytes]:
        yield PNG

    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    async with rig(subject_of(fake, "flux")) as bench:
        asset = await upload(bench.services, chunks(), limit_bytes=1000)
        wanted = {"images": [f"asset:{asset.id}"], "mask": uri, "extra": {"guidance": 3.5}, "size": "64x64"}
        bench = type(bench)(subject_of(fake, "flux", **wanted), bench.services)
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
    ended, contents = await run(subject_of(fake, "wan", image=uri, seconds=5, size="64x64"))
    assert contents == (PNG,), ended.error
    (body,) = fake.bodies
    assert body == {"model": "wan", "prompt": "x", "seconds": "5", "size": "64x64", "input_reference": PNG}


@pytest.mark.parametrize("content", [b"{}", b"<html>", b"", b"not base64!"])
async def test_a_picture_that_is_none_is_not_kept(fake, content):
    fake._pictures = lambda: [
        {"b64_json": base64.b64encode(content).decode() if content != b"not base64!" else "%%"}
    ]
    ended, _ = await run(subject_of(fake, "flux"))
    assert ended.error.code == "output_unavailable"


async def test_what_a_model_does_not_take_is_refused_with_its_place(fake):
    with pytest.raises(Exception, match="does not fit") as caught:
        await run(subject_of(fake, "flux", guidance=3.5))
    assert [problem.pointer for problem in caught.value.problems] == ["/input/guidance"]
    assert fake.submits == 0


async def test_azure_has_another_header_and_a_version():
    fake = FakeOpenAI("api-key", KEY)
    async with fake.running():
        options = {"azure": True, "api_version": "2030-01-01"}
        subject = Subject(build, fake, "my_server/flux", {"prompt": "x"}, "text-to-image", options=options)
        ended, _ = await run(subject)
    assert ended.status is TaskStatus.SUCCEEDED
    assert fake.queries == [{"api-version": "2030-01-01"}]


def test_openai_needs_a_key_alone_and_more_models_can_be_added():
    bare = openai(ProviderSettings())
    assert (bare.name, bare.paid, bare.configured) == ("openai", True, False)
    more = openai(ProviderSettings(api_key="k", models={"gpt-6": "background"}))
    assert {model.name for model in more.models} == {*OPENAI_MODELS, "gpt-6"}
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


def test_every_lack_is_of_a_situation():
    known = {situation.name.lower() for situation in Situation} | {"notices"}
    assert all(set(lacks) <= known for lacks in LACKS.values())
