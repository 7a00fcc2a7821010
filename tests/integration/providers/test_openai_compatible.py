"""What servers answer that speak like OpenAI, and what is made of it."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from genpulse.provider import (
    AuthenticationFailed,
    Charged,
    FailureCode,
    InvalidInput,
    ModerationBlocked,
    OutputUnavailable,
    ProviderRejected,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    UnknownOutcome,
)
from genpulse.providers.openai_compatible import provider
from genpulse.providers.openai_compatible.inputs import ImageInput, SpeechInput, VideoInput
from genpulse.testing.server import PNG
from genpulse.wire import AnswerUnusable
from tests.integration.providers.scripted import Scripted, Told, call_of, content_of, engine_of, job_of

MODELS = {"flux": "image", "gpt": "background", "kokoro": "speech", "wan": "video"}
INPUTS: dict[str, Any] = {
    "flux": ImageInput(prompt="x"),
    "gpt": ImageInput(prompt="x"),
    "kokoro": SpeechInput(text="x"),
    "wan": VideoInput(prompt="x"),
}
B64 = base64.b64encode(PNG).decode()
VERIFY = (
    "Your organization must be verified to use the model `gpt-image-1`. Please go to the settings and click on"
    " Verify Organization."
)


def error(message: str = "no", code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **more}}


@pytest.fixture
async def vendor() -> AsyncIterator[Scripted]:
    async with Scripted().running() as scripted:
        yield scripted


def engine(vendor: Scripted, model: str, **options: Any) -> Any:
    return engine_of(provider(vendor.settings(name="hub", models=MODELS, options=options)), model)


async def ordered(vendor: Scripted, model: str, wanted: Any = None) -> Any:
    found = engine(vendor, model)
    order = found.generate if model in {"flux", "kokoro"} else found.submit
    return await order(call_of(wanted or INPUTS[model]))


async def asked(vendor: Scripted, model: str, question: str, job_id: str = "j", **options: Any) -> Any:
    return await getattr(engine(vendor, model, **options), question)(job_of(job_id, INPUTS[model]))


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
        ({"error": {"code": "content_filter", "message": "it was filtered"}}, "it was filtered"),
        (7, "gives none"),
        ({"url": ["u"]}, "gives none"),
        ({"url": "no URL"}, "cannot be read"),
    ],
)
async def test_a_picture_that_is_missing_costs_no_other(vendor, item, words):
    vendor.always({"data": [{"b64_json": B64}, item, {"b64_json": B64}]})
    outputs = (await ordered(vendor, "flux")).outputs
    assert [await content_of(outputs[place]) for place in (0, 2)] == [PNG, PNG]
    with pytest.raises(OutputUnavailable, match=words):
        await content_of(outputs[1])


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


@pytest.mark.parametrize("uri", ["data:image/png\r\nX-Evil: 1;base64,", "data:;base64,", "data:text;base64,"])
async def test_a_callers_media_type_is_no_header_of_the_form(vendor, uri):
    vendor.always({"data": [{"b64_json": B64}]})
    await ordered(vendor, "flux", ImageInput(prompt="x", images=[f"{uri}{B64}"]))
    (form,) = (one.form for one in vendor.asked)
    assert form["image"] == PNG


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


async def test_an_empty_answer_is_no_sound(vendor):
    vendor.always(b"")
    with pytest.raises(OutputUnavailable) as caught:
        await ordered(vendor, "kokoro")
    assert caught.value.charged is Charged.YES


@pytest.mark.parametrize("model", ["wan", "gpt"])
@pytest.mark.parametrize("job_id", ["", "  ", None, 7, ["v"], ".."])
async def test_an_order_without_a_name_is_an_unusable_answer(vendor, model, job_id):
    vendor.always({"id": job_id, "status": "queued"})
    with pytest.raises(AnswerUnusable, match="names no job"):
        await ordered(vendor, model)


@pytest.mark.parametrize("job_id", ["a#b/c d+e", "models/veo#31+x/y z", "ü?&=%"])
async def test_an_id_is_one_segment_of_each_path(vendor, job_id):
    paths: list[str] = []

    def answer(asked):
        paths.append(asked.path)
        return Told(PNG) if asked.path.endswith("/content") else Told({"id": job_id, "status": "completed"})

    vendor.answer = answer
    assert (await ordered(vendor, "wan")).job_id == job_id
    assert (await asked(vendor, "wan", "poll", job_id)).done
    (output,) = (await asked(vendor, "wan", "collect", job_id)).outputs
    assert await content_of(output) == PNG
    await asked(vendor, "wan", "cancel", job_id)
    assert (await asked(vendor, "gpt", "poll", job_id)).done
    quoted = {"a#b/c d+e": "a%23b%2Fc%20d%2Be", "ü?&=%": "%C3%BC%3F%26%3D%25"}.get(
        job_id, "models%2Fveo%2331%2Bx%2Fy%20z"
    )
    below = f"/videos/{quoted}"
    assert paths == ["/videos", below, f"{below}/content", below, f"/responses/{quoted}"]


@pytest.mark.parametrize("model", ["wan", "gpt"])
@pytest.mark.parametrize("word", ["completed", "COMPLETED", "succeeded", "Success", "done", "finished"])
async def test_a_job_that_is_done_is_told_in_all_spellings(vendor, model, word):
    vendor.always({"id": "j", "status": word, "error": None})
    assert (await asked(vendor, model, "poll")).done


@pytest.mark.parametrize("model", ["wan", "gpt"])
@pytest.mark.parametrize(
    "word", ["failed", "FAILED", "cancelled", "canceled", "expired", "rejected", "incomplete"]
)
async def test_a_job_that_failed_is_told_in_all_spellings(vendor, model, word):
    vendor.always({"id": "j", "status": word, **error("the node died", "server_error")})
    failed = (await asked(vendor, model, "poll")).failed
    assert type(failed) is ProviderRejected
    assert failed.charged is Charged.MAYBE
    assert "the node died" in failed.message
    assert "server_error" in failed.message


@pytest.mark.parametrize(
    "told",
    [
        error("flagged", "moderation_blocked"),
        {"error": "content policy violation"},
        {"incomplete_details": {"reason": "content_filter"}},
    ],
)
async def test_moderation_of_a_job_is_told(vendor, told):
    vendor.always({"id": "j", "status": "failed", **told})
    assert type((await asked(vendor, "gpt", "poll")).failed) is ModerationBlocked


@pytest.mark.parametrize("told", [{}, {"error": None}, {"error": []}, {"error": {}}])
async def test_a_job_that_failed_without_a_word_says_its_status(vendor, told):
    vendor.always({"id": "j", "status": "expired", **told})
    assert "expired" in (await asked(vendor, "wan", "poll")).failed.message


@pytest.mark.parametrize(
    ("progress", "fraction"),
    [(40, 0.4), (0.5, 0.005), (100, 1.0), (101, None), (-1, None), (True, None), ("40", None), (None, None),
     (float("nan"), None), (float("inf"), None), (10**400, None), ([40], None)],
)  # fmt: skip
async def test_how_far_a_video_is(vendor, progress, fraction):
    vendor.always({"id": "j", "status": "in_progress", "progress": progress})
    found = await asked(vendor, "wan", "poll")
    assert (found.fraction, found.message, found.odd) == (fraction, "in_progress", None)


@pytest.mark.parametrize(
    ("header", "wait_s"), [("1500", 1.5), ("9" * 9, 60.0), ("9" * 5000, None), ("soon", None), ("-1", None)]
)
async def test_when_to_ask_again(vendor, header, wait_s):
    vendor.always({"id": "j", "status": "queued"}, openai_poll_after_ms=header)
    assert (await asked(vendor, "wan", "poll")).wait_s == wait_s


async def test_an_odd_word_counts_as_running_until_an_operator_says_what_it_means(vendor):
    vendor.always({"id": "j", "status": "Fertig"})
    found = await asked(vendor, "wan", "poll")
    assert (found.done, found.odd) == (False, "Fertig")
    assert (await asked(vendor, "wan", "poll", done_words="fertig, bereit")).done
    assert (await asked(vendor, "gpt", "poll", failed_words="fertig")).failed is not None
    waits = await asked(vendor, "gpt", "poll", running_words="FERTIG")
    assert (waits.done, waits.odd, waits.message) == (False, None, "Fertig")


@pytest.mark.parametrize("model", ["wan", "gpt"])
@pytest.mark.parametrize(
    ("told", "because"),
    [
        (error("try later", "server_error"), FailureCode.PROVIDER_REJECTED),
        (error("Incorrect API key", "invalid_api_key"), FailureCode.AUTHENTICATION_FAILED),
        (error("You exceeded your current quota"), FailureCode.QUOTA_EXHAUSTED),
        ({"error": "try later"}, FailureCode.PROVIDER_REJECTED),
    ],
)
async def test_an_error_with_200_ends_no_job(vendor, model, told, because):
    vendor.always(told)
    for question in ("poll", "cancel"):
        with pytest.raises(QuestionRefused) as caught:
            await asked(vendor, model, question)
        assert caught.value.because is because
        assert caught.value.charged is Charged.MAYBE
    with pytest.raises(QuestionRefused):
        await asked(vendor, "gpt", "collect")


@pytest.mark.parametrize("told", [{"id": "j", **error("the node died")}, error("flagged", "moderation_blocked")])
async def test_an_error_of_the_job_itself_ends_it(vendor, told):
    vendor.always(told)
    assert (await asked(vendor, "wan", "poll")).failed.charged is Charged.MAYBE


@pytest.mark.parametrize("told", [{}, {"id": "j"}, {"message": "hello"}])
async def test_an_answer_without_a_status_is_none(vendor, told):
    vendor.always(told)
    with pytest.raises(AnswerUnusable):
        await asked(vendor, "wan", "poll")


@pytest.mark.parametrize("body", [b"", b"<html/>", {"deleted": True}, {"id": "j", "error": None}])
async def test_whatever_a_server_says_to_a_cancel_that_is_no_error(vendor, body):
    vendor.always(body)
    await asked(vendor, "wan", "cancel")
    await asked(vendor, "gpt", "cancel")


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ([{"type": "reasoning"}, {"type": "image_generation_call", "result": B64}], [True]),
        ([None, 7, {"type": "image_generation_call", "result": f"data:image/png;base64,{B64}"}], [True]),
        ([{"type": "image_generation_call", "result": None}, {"type": "image_generation_call", "result": B64}],
         [False, True]),
    ],
)  # fmt: skip
async def test_the_pictures_of_a_response(vendor, output, found):
    vendor.always({"id": "j", "status": "completed", "output": output})
    outputs = (await asked(vendor, "gpt", "collect")).outputs
    assert [isinstance(output.content, bytes) for output in outputs] == found
    assert [await content_of(output) for output, good in zip(outputs, found, strict=True) if good] == [PNG]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            [{"type": "message", "content": [{"type": "refusal", "refusal": "I do not draw that."}]}],
            "I do not draw",
        ),
        ([{"type": "message", "content": [{"type": "output_text", "text": "Here you are"}]}], "Here you are"),
        ([], "holds no picture"),
        (None, "holds no picture"),
        ({"type": "message"}, "holds no picture"),
    ],
)
async def test_a_response_without_a_picture_says_what_it_says(vendor, output, words):
    vendor.always({"id": "j", "status": "completed", "output": output})
    with pytest.raises(OutputUnavailable, match=words):
        await asked(vendor, "gpt", "collect")


@pytest.mark.parametrize("data", [[{"id": "flux"}], None, {}])
async def test_the_probe_takes_any_list(vendor, data):
    vendor.always({"data": data})
    assert await provider(vendor.settings(name="hub", models=MODELS)).probe() == (
        f"{len(data) if isinstance(data, list) else 0} models are listed"
    )
