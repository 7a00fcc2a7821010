"""The official client of OpenAI for Python, unmodified, at the door."""

import asyncio
import base64

import openai
import pytest

from tests.api_keys import added
from tests.integration.api.dialects.openai.conftest import WAV, png


@pytest.fixture
async def client(openai_door):
    _, headers = await added(openai_door.served.services.keys)
    key = headers["Authorization"].removeprefix("Bearer ")
    async with openai.AsyncOpenAI(base_url=f"{openai_door.served.url}/openai/v1", api_key=key) as client:
        yield client


@pytest.fixture
def openai_door(request):
    return request.getfixturevalue("openai")


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


async def test_pictures(client):
    made = await client.images.generate(model="art/paint", prompt="a fox", size="256x128", n=2)
    assert [base64.b64decode(one.b64_json) for one in made.data] == [png(), png()]
    made = await client.images.edit(model="art/collage", image=[png(), png(4)], prompt="both")
    assert base64.b64decode(made.data[0].b64_json) == png()
    stream = await client.images.generate(model="art/paint", prompt="a fox", stream=True)
    assert [event.type async for event in stream] == ["image_generation.completed"]


async def test_videos(client):
    done = await client.videos.create_and_poll(model="art/film", prompt="x", seconds="2", input_reference=png())
    assert (done.status, done.progress, done.seconds) == ("completed", 100, "2")
    assert (await client.videos.download_content(done.id)).content == b"film"
    assert [one.id async for one in client.videos.list(limit=1)] == [done.id]
    assert (await client.videos.delete(done.id)).deleted


async def test_speech(client):
    spoken = await client.audio.speech.create(model="art/voice", voice="alloy", input="Hello.")
    assert spoken.content == WAV


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (openai.NotFoundError, "model_not_found", {"model": "art/pain"}),
        (openai.BadRequestError, "invalid_input", {"size": "9000x9000"}),
        (openai.BadRequestError, "moderation_blocked", {"prompt": "naked"}),
        (openai.InternalServerError, "provider_unavailable", {"prompt": "away"}),
    ],
)
async def test_each_error_is_raised_as_its_own(client, kind, code, words):
    with pytest.raises(kind) as raised:
        await client.images.generate(**{"model": "art/paint", "prompt": "a fox", **words})
    assert raised.value.code == code


async def test_a_client_that_repeats_gets_its_task(client, openai_door):
    hasty = client.with_options(timeout=0.5, max_retries=5)

    async def later():
        await asyncio.sleep(1.5)
        openai_door.makers["paint"].may_go.set()

    openai_door.makers["paint"].may_go.clear()
    releasing = asyncio.create_task(later())
    assert (await hasty.images.generate(model="art/paint", prompt="a fox")).data
    await releasing
    assert len(openai_door.makers["paint"].asked) == 1
