"""What a server answers to an order that speaks like OpenAI, and what is made of it."""

import base64
import json
from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError

from genpulse.provider import (
    AuthenticationFailed,
    Charged,
    InvalidInput,
    Missing,
    ModerationBlocked,
    OutputUnavailable,
    ProviderRejected,
    QuotaExhausted,
    RateLimited,
    UnknownOutcome,
)
from genpulse.providers.openai_compatible.inputs import ImageInput, VideoInput
from genpulse.testing.server import PNG
from tests.integration.providers.hub import MODELS, error, ordered
from tests.integration.providers.scripted import Scripted, Told, content_of

B64 = base64.b64encode(PNG).decode()
VERIFY = (
    "Your organization must be verified to use the model `gpt-image-1`. Please go to the settings and click on"
    " Verify Organization."
)


@pytest.fixture
async def vendor() -> AsyncIterator[Scripted]:
    async with Scripted().running() as scripted:
        yield scripted


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, error("Incorrect API key provided", "invalid_api_key"), AuthenticationFailed),
        (401, b"", AuthenticationFailed),
        (401, error("You exceeded your current quota"), QuotaExhausted),
        (403, error(VERIFY), ProviderRejected),
        (403, error("This key may not use the model flux"), ProviderRejected),
        (403, error("Invalid API key"), AuthenticationFailed),
        (403, b"<html>Just a moment...</html>", ProviderRejected),
        (403, error("unsafe", "unsafe_request"), ModerationBlocked),
        (404, error("The model `flux` does not exist", "model_not_found"), ProviderRejected),
        (400, error("Invalid model name passed in model=flux", "400"), ProviderRejected),
        (400, error("no", None, param="model"), ProviderRejected),
        (404, {"detail": "Not Found"}, ProviderRejected),
        (404, b"404 page not found", ProviderRejected),
        (400, error("Your request was rejected by the safety system", "moderation_blocked"), ModerationBlocked),
        (400, error("litellm.ContentPolicyViolationError: no", "400"), ModerationBlocked),
        (400, error("no", 400, innererror={"code": "ResponsibleAIPolicyViolation",
                                           "content_filter_result": {"sexual": {"filtered": True}}},
                    type="content_filter"), ModerationBlocked),
        (400, error("Invalid value: 'huge'", "invalid_value", param="size"), InvalidInput),
        (422, {"detail": [{"loc": ["body", "size"], "msg": "not a size"}]}, InvalidInput),
        (422, {"object": "error", "message": "not a size", "code": 40303}, InvalidInput),
        (413, b"too large", InvalidInput),
        (402, {"error": "Payment required"}, QuotaExhausted),
        (429, error("You exceeded your current quota", "insufficient_quota"), QuotaExhausted),
        (429, error("Rate limit reached", "rate_limit_exceeded"), RateLimited),
        (400, error("Billing hard limit has been reached", "billing_hard_limit_reached"), QuotaExhausted),
        (405, b"", ProviderRejected),
    ],
)  # fmt: skip
async def test_an_order_that_is_refused_costs_nothing_and_says_why(vendor, model, status, body, expected):
    vendor.always(body, status)
    with pytest.raises(expected) as caught:
        await ordered(vendor, model)
    assert type(caught.value) is expected
    assert caught.value.charged is Charged.NO
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("status", [408, 409, 423, 425, 500, 503, 529])
@pytest.mark.parametrize(
    "body", [error("it failed", "server_error"), error("no", "moderation_blocked"), b"<html/>"]
)
async def test_any_other_status_leaves_the_order_open_whatever_its_words_are(vendor, model, status, body):
    vendor.always(body, status)
    with pytest.raises(UnknownOutcome) as caught:
        await ordered(vendor, model)
    assert caught.value.charged is Charged.MAYBE
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (error("rejected by the safety system", "moderation_blocked"), ModerationBlocked),
        (error("The model `flux` does not exist", "model_not_found"), ProviderRejected),
        (error("exceeded your current quota", "insufficient_quota"), QuotaExhausted),
        (error("Incorrect API key", "invalid_api_key"), AuthenticationFailed),
        (error("Invalid value", "invalid_value", param="size"), InvalidInput),
        (error("something else"), ProviderRejected),
        (error("rate limit", "rate_limit_exceeded"), ProviderRejected),
        ({"error": "something else"}, ProviderRejected),
        ({"error": ["something else"]}, ProviderRejected),
        ({"error": True, "message": "something else"}, ProviderRejected),
        ({"object": "error", "message": "something else", "code": 500}, ProviderRejected),
        ({**error("something else"), "data": None, "id": None}, ProviderRejected),
        ({**error("something else"), "data": [], "created": 1}, ProviderRejected),
    ],
)
async def test_an_error_with_200_has_the_vendors_words_and_may_be_charged(vendor, model, body, expected):
    vendor.always(body)
    with pytest.raises(expected) as caught:
        await ordered(vendor, model)
    assert type(caught.value) is expected
    assert caught.value.charged is Charged.MAYBE
    assert not caught.value.retryable
    said = body["error"]["message"] if isinstance(body.get("error"), dict) else "something else"
    assert said in caught.value.message


def test_a_model_that_is_not_served_is_for_the_operator_to_mend():
    assert ProviderRejected("").who_must_act == "operator"


@pytest.mark.parametrize(
    "data",
    [
        [{"b64_json": B64}],
        [{"b64_json": f"data:image/png;base64,{B64}"}],
        [{"b64_json": base64.encodebytes(PNG).decode()}],
        [{"b64_json": B64.rstrip("=")}],
        [{"b64_json": base64.urlsafe_b64encode(PNG).decode()}],
        [{"b64_json": None, "url": f"data:image/png;base64,{B64}"}],
        [{"b64_json": "", "url": "<base>/output/1"}],
        {"url": "<base>/output/1"},
        ["<base>/output/1"],
        [B64],
        [{"url": "<base>/output/1", "error": None}],
        [{"b64_json": "%%", "url": "<base>/output/1"}],
        [{"url": "no URL", "b64_json": B64}],
        [{"image_url": {"url": "<base>/output/1"}}],
        [{"b64_json": "null", "url": f"data:image/png;base64,{B64}"}],
    ],
)
async def test_a_picture_is_taken_however_it_is_given(vendor, data):
    told = json.loads(json.dumps({"data": data}).replace("<base>", vendor.base_url))
    vendor.answer = lambda asked: Told(PNG) if asked.path == "/output/1" else Told(told)
    result = await ordered(vendor, "flux")
    assert [await content_of(output) for output in result.outputs] == [PNG]
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (None, "gives none"),
        ({}, "gives none"),
        ({"b64_json": None}, "gives none"),
        ({"b64_json": "%%"}, "not base64"),
        ({"b64_json": "  "}, "gives none"),
        ("", "gives none"),
        ({"error": {"code": "content_filter", "message": "it was filtered"}}, "it was filtered"),
        (7, "gives none"),
        ({"url": ["u"]}, "gives none"),
        ({"url": "no URL"}, "cannot be read"),
        ({"b64_json": "null"}, "the word 'null'"),
        ({"result": "failed"}, "the word 'failed'"),
        ({"url": "/static/pictures"}, "cannot be read"),
        ("content_policy_violation", "content_policy_violation"),
    ],
)
async def test_a_picture_that_is_missing_costs_no_other(vendor, item, words):
    vendor.always({"data": [{"b64_json": B64}, item, {"b64_json": B64}]})
    outputs = (await ordered(vendor, "flux")).outputs
    assert [await content_of(outputs[place]) for place in (0, 2)] == [PNG, PNG]
    with pytest.raises(OutputUnavailable, match=words):
        await content_of(outputs[1])


@pytest.mark.parametrize(("n", "came"), [(1, 1), (1, 3), (2, 1), (4, 2)])
async def test_fewer_pictures_than_were_ordered_are_told_by_those_that_are_missing(vendor, n, came):
    vendor.always({"data": [{"b64_json": B64}] * came})
    outputs = (await ordered(vendor, "flux", ImageInput(prompt="x", n=n))).outputs
    assert [await content_of(output) for output in outputs[:came]] == [PNG] * came
    assert len(outputs) == max(n, came)
    for output in outputs[came:]:
        with pytest.raises(OutputUnavailable, match=f"{n} pictures were ordered, and {came} came"):
            await content_of(output)


async def test_pictures_are_kept_beside_an_error_which_is_told(vendor):
    vendor.always({"data": [{"b64_json": B64}], **error("one was filtered"), "nsfw_content_detected": [True]})
    result = await ordered(vendor, "flux")
    assert len(result.outputs) == 1
    assert [(warning.code, warning.index) for warning in result.warnings] == [("flagged", 0), ("flagged", None)]
    assert "one was filtered" in result.warnings[1].message


async def test_nothing_is_fetched_before_it_is_read(vendor):
    vendor.always({"data": [{"url": f"{vendor.base_url}/output/1"}]})
    await ordered(vendor, "flux")
    assert [one.path for one in vendor.asked] == ["/images/generations"]


@pytest.mark.parametrize("data", [[], None, {}, "", 7, True])
async def test_an_empty_list_is_no_output(vendor, data):
    vendor.always({"data": data})
    with pytest.raises(OutputUnavailable, match="its list is empty") as caught:
        await ordered(vendor, "flux")
    assert caught.value.charged is Charged.YES


async def test_a_form_carries_json_and_no_words_of_python(vendor):
    extra = {
        "seed": None,
        "enhance": True,
        "plain": False,
        "guidance": 3.5,
        "steps": 4,
        "tags": ["a", None, True],
        "lora": {"name": "fox", "weight": None},
        "words": "True, None",
    }
    vendor.always({"data": [{"b64_json": B64}]})
    await ordered(vendor, "flux", ImageInput(prompt="ü 🦊", images=[f"data:image/png;base64,{B64}"], extra=extra))
    (form,) = (one.form for one in vendor.asked)
    assert form == {
        "model": "flux",
        "prompt": "ü 🦊",
        "n": "1",
        "enhance": "true",
        "plain": "false",
        "guidance": "3.5",
        "steps": "4",
        "tags": '["a", null, true]',
        "lora": '{"name": "fox", "weight": null}',
        "words": "True, None",
        "image": PNG,
    }


async def test_the_form_of_a_video_carries_the_same(vendor):
    vendor.always({"id": "v"})
    await ordered(vendor, "wan", VideoInput(prompt="x", seconds=4, extra={"seed": None, "loop": True, "a": [1]}))
    (form,) = (one.form for one in vendor.asked)
    assert form == {"model": "wan", "prompt": "x", "seconds": "4", "loop": "true", "a": "[1]"}


@pytest.mark.parametrize("kind", [ImageInput, VideoInput])
def test_which_model_runs_is_not_for_the_caller_to_say(kind):
    with pytest.raises(ValidationError, match="'model' cannot be set here"):
        kind(prompt="x", extra={"model": "dearer"})


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "text/html", "image/png", ""])
async def test_sound_is_taken_by_its_bytes(vendor, kind):
    wav = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40)
    vendor.always(wav, Content_Type=kind)
    (output,) = (await ordered(vendor, "kokoro")).outputs
    assert await content_of(output) == wav


async def test_sound_in_a_data_uri_is_read(vendor):
    wav = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40)
    vendor.always(f"data:audio/wav;base64,{base64.b64encode(wav).decode()}".encode())
    (output,) = (await ordered(vendor, "kokoro")).outputs
    assert await content_of(output) == wav


@pytest.mark.parametrize(
    "body",
    [
        PNG,
        b"\xff\xd8\xff\xe0" + bytes(20),
        b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20),
        b"\x00\x00\x00\x20ftypavif" + bytes(20),
    ],
)
async def test_a_picture_in_place_of_an_answer_is_kept(vendor, body):
    vendor.always(body)
    (output,) = (await ordered(vendor, "flux")).outputs
    assert await content_of(output) == body


async def test_a_bare_list_is_one_of_pictures(vendor):
    vendor.always([{"b64_json": B64}, B64, None])
    found = (await ordered(vendor, "flux")).outputs
    assert [await content_of(output) for output in found[:2]] == [PNG, PNG]
    assert isinstance(found[2].content, Missing)


async def test_an_empty_answer_is_no_sound(vendor):
    vendor.always(b"")
    with pytest.raises(OutputUnavailable) as caught:
        await ordered(vendor, "kokoro")
    assert caught.value.charged is Charged.YES
