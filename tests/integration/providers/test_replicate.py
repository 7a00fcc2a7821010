"""What Replicate answers, and what is made of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from genpulse.provider import (
    Attachment,
    AuthenticationFailed,
    Charged,
    FailureCode,
    InvalidInput,
    ModerationBlocked,
    OutputPlace,
    OutputUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    UnknownOutcome,
)
from genpulse.provider.http import AnswerUnusable
from genpulse.provider.passthrough import FreeInput
from genpulse.providers.replicate import provider
from genpulse.testing.server import PNG
from tests.integration.providers.scripted import KEY, Scripted, Told, call_of, content_of, engine_of, job_of

WANTED = FreeInput.model_validate({"prompt": "a fox"})
THROTTLED = (
    "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute while you"
    " have less than $5.0 in credit. Your rate limit resets in ~30s."
)


MODEL = "/v1/models/acme/flux"
FILES = {"type": "array", "items": {"type": "string", "format": "uri"}}


def model_with(schema, **schemas) -> Told:
    """The model, whose outputs have this schema."""
    openapi = {"components": {"schemas": {"Output": schema, **schemas}}}
    return Told({"owner": "acme", "name": "flux", "latest_version": {"id": "v1", "openapi_schema": openapi}})


@pytest.fixture
async def vendor() -> AsyncIterator[Scripted]:
    async with Scripted().running() as scripted:
        yield scripted


def engine(vendor: Scripted):
    return engine_of(provider(vendor.settings()), "acme/flux")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": "You did not pass a valid authentication token"}, AuthenticationFailed),
        (403, {"detail": "Invalid token."}, AuthenticationFailed),
        (403, {"detail": "You do not have permission to perform this action."}, ProviderRejected),
        (402, {"detail": "You have insufficient credit to run this model."}, QuotaExhausted),
        (403, {"title": "Billing", "detail": "Insufficient credit"}, QuotaExhausted),
        (404, {"detail": "The requested resource could not be found."}, InvalidInput),
        (422, {"detail": "- input.prompt: prompt is required"}, InvalidInput),
        (422, {"detail": ["one", "two"]}, InvalidInput),
        (400, b"detail: no JSON", InvalidInput),
        (429, {"detail": THROTTLED}, RateLimited),
    ],
)
async def test_an_order_that_is_refused_costs_nothing_and_says_why(vendor, status, body, error):
    vendor.always(body, status, Content_Type="application/problem+json")
    with pytest.raises(error) as caught:
        await engine(vendor).submit(call_of(WANTED))
    assert type(caught.value) is error
    assert caught.value.charged is Charged.NO
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 423, 425, 500, 502, 503, 504, 522, 302])
@pytest.mark.parametrize("body", [{"detail": "it failed", "status": 500}, b"<html/>", b""])
async def test_any_other_status_leaves_the_order_open(vendor, status, body):
    vendor.always(body, status)
    with pytest.raises(UnknownOutcome) as caught:
        await engine(vendor).submit(call_of(WANTED))
    assert caught.value.charged is Charged.MAYBE
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("prediction_id", ["", None, True, 7.5, {}, "."])
async def test_an_order_without_a_name_is_an_unusable_answer(vendor, prediction_id):
    vendor.always({"id": prediction_id, "status": "starting"}, 201)
    with pytest.raises(AnswerUnusable, match="names no job"):
        await engine(vendor).submit(call_of(WANTED))


@pytest.mark.parametrize(("given", "job_id"), [(7, "7"), (0, "0"), (-12, "-12"), (2**64, str(2**64))])
async def test_a_number_is_a_name_as_well(vendor, given, job_id):
    vendor.always({"id": given, "status": "queued"})
    assert (await engine(vendor).submit(call_of(WANTED))).job_id == job_id


async def test_an_id_is_one_segment_of_each_path(vendor):
    vendor.always({"id": "a#b/c d+e", "status": "succeeded", "output": "words"})
    replicate = engine(vendor)
    job = job_of((await replicate.submit(call_of(WANTED))).job_id, WANTED)
    await replicate.poll(job)
    await replicate.collect(job)
    await replicate.cancel(job)
    below = "/v1/predictions/a%23b%2Fc%20d%2Be"
    assert [asked.path for asked in vendor.asked][1:] == [below, below, f"{below}/cancel"]


@pytest.mark.parametrize(
    ("told", "fraction", "done", "odd"),
    [
        ({"status": "succeeded"}, 1.0, True, None),
        ({"status": "SUCCEEDED"}, 1.0, True, None),
        ({"status": "completed"}, 1.0, True, None),
        ({"status": "processing", "logs": " 10%|#   | 1/10\n 40%|####  | 4/10"}, 0.4, False, None),
        ({"status": "Starting", "logs": None}, None, False, None),
        ({"status": "processing", "logs": ["40%|"]}, None, False, None),
        ({"status": "warming", "logs": "999%| x"}, 1.0, False, "warming"),
        ({"status": True}, None, False, "True"),
    ],
)
async def test_where_a_prediction_stands(vendor, told, fraction, done, odd):
    vendor.always(told)
    progress = await engine(vendor).poll(job_of("p", WANTED))
    assert (progress.fraction, progress.done, progress.odd, progress.failed) == (fraction, done, odd, None)


@pytest.mark.parametrize(
    ("told", "error", "charged"),
    [
        ({"status": "failed", "error": "CUDA error"}, ProviderRejected, Charged.MAYBE),
        ({"status": "FAILED", "error": {"message": "CUDA error"}}, ProviderRejected, Charged.MAYBE),
        ({"status": "failed", "error": ["CUDA error"]}, ProviderRejected, Charged.MAYBE),
        ({"status": "failed", "error": None}, ProviderRejected, Charged.MAYBE),
        ({"status": "failed", "error": "NSFW content detected (E005)"}, ModerationBlocked, Charged.MAYBE),
        ({"status": "canceled"}, ProviderRejected, Charged.MAYBE),
        ({"status": "Cancelled"}, ProviderRejected, Charged.MAYBE),
        ({"status": "expired"}, ProviderRejected, Charged.MAYBE),
        ({"status": "aborted"}, ProviderUnavailable, Charged.NO),
        ({"status": "ABORTED"}, ProviderUnavailable, Charged.NO),
    ],
)
async def test_why_a_prediction_failed(vendor, told, error, charged):
    vendor.always(told)
    failed = (await engine(vendor).poll(job_of("p", WANTED))).failed
    assert (type(failed), failed.charged) == (error, charged)
    if isinstance(told.get("error"), list | dict):
        assert "CUDA error" in failed.message


@pytest.mark.parametrize("told", [{}, {"detail": "hello"}, {"status": None, "error": "try later"}])
async def test_an_answer_without_a_status_is_none(vendor, told):
    vendor.always(told)
    with pytest.raises(AnswerUnusable):
        await engine(vendor).poll(job_of("p", WANTED))


@pytest.mark.parametrize(
    ("status", "body", "because", "missing"),
    [
        (401, {"detail": "Invalid token"}, FailureCode.AUTHENTICATION_FAILED, False),
        (402, {"detail": "no credit"}, FailureCode.QUOTA_EXHAUSTED, False),
        (404, {"detail": "Prediction not found"}, FailureCode.PROVIDER_REJECTED, True),
        (410, b"", FailureCode.PROVIDER_REJECTED, True),
        (422, {"detail": "bad"}, FailureCode.PROVIDER_REJECTED, False),
        (500, {"detail": "it failed"}, FailureCode.PROVIDER_UNAVAILABLE, False),
        (429, {"detail": THROTTLED}, FailureCode.RATE_LIMITED, False),
    ],
)
@pytest.mark.parametrize("question", ["poll", "collect", "cancel"])
async def test_a_question_that_is_refused_says_nothing_of_the_prediction(
    vendor, question, status, body, because, missing
):
    vendor.always(body, status)
    with pytest.raises(QuestionRefused) as caught:
        await getattr(engine(vendor), question)(job_of("p", WANTED))
    assert (caught.value.because, caught.value.missing) == (because, missing)
    assert caught.value.charged is Charged.MAYBE


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ({"error": {"message": "the model died"}}, ProviderRejected),
        ({"error": "the model died: NSFW"}, ModerationBlocked),
    ],
)
async def test_an_error_is_no_output(vendor, output, error):
    vendor.always({"status": "succeeded", "output": output})
    with pytest.raises(error, match="the model died") as caught:
        await engine(vendor).collect(job_of("p", WANTED))
    assert caught.value.charged is Charged.MAYBE


@pytest.mark.parametrize("word", ["starting", "processing", "Processing"])
@pytest.mark.parametrize("output", [None, [], ["https://files.example/half.png"]])
async def test_a_prediction_that_goes_on_after_all_has_no_result_yet(vendor, word, output):
    vendor.always({"id": "p", "status": word, "output": output})
    with pytest.raises(AnswerUnusable, match="goes on"):
        await engine(vendor).collect(job_of("p", WANTED))


async def test_an_output_that_was_removed_says_so(vendor):
    vendor.always({"status": "succeeded", "output": None, "data_removed": True})
    with pytest.raises(OutputUnavailable, match="has removed"):
        await engine(vendor).collect(job_of("p", WANTED))


@pytest.mark.parametrize(
    ("path", "has_key"), [("/v1/files/f1/download", True), ("/output/1", False), ("/v1/predictions", None)]
)
async def test_the_key_goes_to_files_alone(vendor, path, has_key):
    def answer(asked):
        if asked.path == "/v1/predictions/p":
            return Told({"status": "succeeded", "output": [f"{vendor.base_url}{path}"]})
        return model_with(FILES) if asked.path == MODEL else Told(PNG)

    vendor.answer = answer
    (output,) = (await engine(vendor).collect(job_of("p", WANTED))).outputs
    if has_key is None:
        with pytest.raises(OutputUnavailable):
            await content_of(output)
        assert {asked.path for asked in vendor.asked} == {"/v1/predictions/p", MODEL}
        return
    assert await content_of(output) == PNG
    assert (vendor.asked[-1].headers.get("Authorization") == f"Bearer {KEY}") is has_key


class _Files:
    def __init__(self, path: Path) -> None:
        self._path = path

    def keeps(self, reference: str) -> bool:
        return reference.startswith("asset:")

    async def fetch(self, reference: str) -> Attachment:
        self._path.write_bytes(PNG)
        return Attachment(self._path, "image/png", len(PNG))


@pytest.mark.parametrize("kept", [{}, {"urls": None}, {"urls": {"get": 7}}, {"urls": {"get": ""}}, [], b"no JSON"])
async def test_a_file_that_is_kept_nowhere_orders_nothing(vendor, tmp_path, kept):
    vendor.always(kept)
    call = replace(
        call_of(FreeInput.model_validate({"image": "asset:1"})), attachments=_Files(tmp_path / "fox.png")
    )
    with pytest.raises(ProviderUnavailable, match="where it keeps a file") as caught:
        await engine(vendor).submit(call)
    assert caught.value.charged is Charged.NO
    assert [asked.path for asked in vendor.asked] == ["/v1/files"]


@pytest.mark.parametrize("output", [None, [], "", {"images": []}])
async def test_an_error_beside_an_empty_output_is_told(vendor, output):
    vendor.always({"status": "succeeded", "output": output, "error": "the model died"})
    with pytest.raises(ProviderRejected, match="the model died") as caught:
        await engine(vendor).collect(job_of("p", WANTED))
    assert caught.value.charged is Charged.MAYBE
    vendor.always({"status": "succeeded", "output": output, "error": None})
    with pytest.raises(OutputUnavailable, match="is empty"):
        await engine(vendor).collect(job_of("p", WANTED))


DELIVERED = "https://replicate.delivery/xezq/abc/out-0.png"
ELSEWHERE = "https://files.example/a.png"
ECHO = "https://caller.example/fox.png"
TEXT, URI = {"type": "string"}, {"type": "string", "format": "uri"}


P0 = OutputPlace(0)


def nested(levels, inner):
    for _ in range(levels):
        inner = [inner]
    return inner


async def collected(vendor, output, model: Told, wanted=None, **prediction):
    """The result of a prediction with this output, and how often the model was asked for."""
    told = {"/v1/predictions/p": Told({"status": "succeeded", "output": output, **prediction}), MODEL: model}
    vendor.answer = lambda asked: told[asked.path]
    found = engine(vendor)
    for _ in range(2):
        result = await found.collect(job_of("p", wanted or WANTED))
    return result, sum(asked.path == MODEL for asked in vendor.asked)


NO_MODEL = Told({"detail": "not found"}, 404)


@pytest.mark.parametrize(
    ("output", "model", "answer", "asked"),
    [
        ([DELIVERED], NO_MODEL, [OutputPlace(0)], 0),
        ([DELIVERED, DELIVERED, f"{DELIVERED}?2"], NO_MODEL, [OutputPlace(0), OutputPlace(0), OutputPlace(1)], 0),
        ({"image": DELIVERED, "seed": 7}, NO_MODEL, {"image": OutputPlace(0), "seed": 7}, 0),
        ([DELIVERED, None], NO_MODEL, [OutputPlace(0), OutputPlace(1)], 0),
        (ELSEWHERE, model_with(URI), OutputPlace(0), 1),
        ([ELSEWHERE], model_with(FILES), [OutputPlace(0)], 1),
        ([ELSEWHERE], model_with({"type": "array", "items": TEXT}), [ELSEWHERE], 1),
        ([ELSEWHERE], NO_MODEL, [ELSEWHERE], 1),
        ([ELSEWHERE], Told({"latest_version": None}), [ELSEWHERE], 1),
        ([ELSEWHERE], Told({"latest_version": {"openapi_schema": [7]}}), [ELSEWHERE], 1),
        (
            {"file": ELSEWHERE, "link": ELSEWHERE},
            model_with({"$ref": "#/components/schemas/Out"}, Out={"properties": {"file": URI, "link": TEXT}}),
            {"file": OutputPlace(0), "link": ELSEWHERE},
            1,
        ),
        (
            {"a": ELSEWHERE},
            model_with({"type": "object", "additionalProperties": {"allOf": [{"$ref": "#/x/File"}]}}, File=URI),
            {"a": OutputPlace(0)},
            1,
        ),
        (ELSEWHERE, model_with({"anyOf": [{"type": "null"}, URI]}), OutputPlace(0), 1),
        (ELSEWHERE, model_with({"$ref": "#/x/Output"}), ELSEWHERE, 1),
        (ELSEWHERE, model_with({"anyOf": [{"type": "null"}], "format": "uri"}), OutputPlace(0), 1),
        (ELSEWHERE, model_with({"anyOf": [{"$ref": "#/x/Output"}] * 50 + [TEXT]}), ELSEWHERE, 1),
        (nested(900, ELSEWHERE), model_with({"items": {"$ref": "#/x/Output"}}), nested(900, ELSEWHERE), 1),
        (
            nested(900, ELSEWHERE),
            model_with({"items": {"anyOf": [{"$ref": "#/x/Output"}, URI]}}),
            nested(900, P0),
            1,
        ),
        ({"image": DELIVERED, "source": ECHO}, NO_MODEL, {"image": OutputPlace(0), "source": ECHO}, 0),
        ("https://x.example/ is nice", NO_MODEL, "https://x.example/ is nice", 0),
        (["https://", "x.example"], model_with({"type": "array", "items": TEXT}), ["https://", "x.example"], 1),
        (
            {"text": "a fox", "data": "data:image/png;base64,aGk"},
            NO_MODEL,
            {"text": "a fox", "data": OutputPlace(0)},
            0,
        ),
    ],
)
async def test_files_are_what_is_delivered_or_what_the_models_schema_calls_so(
    vendor, output, model, answer, asked
):
    wanted = FreeInput.model_validate({"prompt": "a fox", "image": ECHO})
    result, count = await collected(vendor, output, model, wanted)
    assert (result.answer, count) == (answer, asked)


async def test_the_input_that_replicate_repeats_is_no_file(vendor):
    uploaded = f"{vendor.base_url}/v1/files/f1"
    output = {"image": DELIVERED, "source": uploaded}
    result, asked = await collected(vendor, output, NO_MODEL, input={"image": uploaded})
    assert (result.answer, asked) == ({"image": OutputPlace(0), "source": uploaded}, 0)


async def test_a_version_is_asked_for_its_own_schema(vendor):
    versioned = engine_of(provider(vendor.settings()), "acme/flux:abc")
    schema = {"openapi_schema": {"components": {"schemas": {"Output": URI}}}}
    told = {
        "/v1/predictions/p": Told({"status": "succeeded", "output": ELSEWHERE}),
        f"{MODEL}/versions/abc": Told(schema),
    }
    vendor.answer = lambda asked: told[asked.path]
    assert (await versioned.collect(job_of("p", WANTED))).answer == OutputPlace(0)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_where_the_model_cannot_be_asked_for_the_result_is_asked_for_again(vendor, status):
    with pytest.raises(QuestionRefused) as caught:
        await collected(vendor, [ELSEWHERE], Told({"detail": "away"}, status))
    assert not caught.value.missing


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_model_that_replicate_does_not_show_has_no_schema(vendor, status):
    result, asked = await collected(vendor, [ELSEWHERE], Told({"detail": "no"}, status))
    assert (result.answer, asked) == ([ELSEWHERE], 1)
