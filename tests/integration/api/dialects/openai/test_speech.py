"""Speech by OpenAI's call."""

import base64
import json

import pytest

from tests.integration.api.dialects.openai.conftest import WAV, refused

WORDS = {"model": "art/voice", "voice": "alloy", "input": "Hello."}


@pytest.mark.parametrize(
    "more", [{}, {"response_format": "wav"}, {"voice": {"id": "v"}}, {"stream_format": "audio"}]
)
async def test_the_answer_is_the_sound(openai, more):
    answer = await openai.post("/audio/speech", {**WORDS, **more})
    assert (answer.status, answer.body) == (200, WAV)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert "voice" in answer.headers["X-GenPulse-Ignored"]
    assert openai.makers["voice"].asked[0].text == "Hello."


async def test_it_may_come_as_events(openai):
    answer = await openai.post("/audio/speech", {**WORDS, "stream_format": "sse"})
    *deltas, done = [
        json.loads(event.split("data: ")[1]) for event in answer.body.decode().split("\n\n") if "data: " in event
    ]
    assert b"".join(base64.b64decode(delta["audio"]) for delta in deltas) == WAV
    assert done["type"] == "speech.audio.done"


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"response_format": "mp3"}, "unsupported_format", "response_format"),
        ({"stream_format": "x"}, "invalid_value", "stream_format"),
        ({"input": ""}, "missing_required_parameter", "input"),
        ({"input": "x" * 41}, "invalid_input", "input"),
        ({"instructions": "sing"}, "unknown_parameter", "instructions"),
        ({"speed": 2}, "unknown_parameter", "speed"),
        ({"model": "art/paint"}, "model_not_supported", "model"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_field(openai, more, code, field):
    refused(await openai.post("/audio/speech", {**WORDS, **more}), 400, code, field)
