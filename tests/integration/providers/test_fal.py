"""What fal answers, and what is made of it."""

from collections.abc import AsyncIterator

import pytest

from genpulse.provider import (
    AuthenticationFailed,
    Charged,
    FailureCode,
    InvalidInput,
    ModerationBlocked,
    OutputPlace,
    ProviderRejected,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    UnknownOutcome,
)
from genpulse.provider.http import AnswerUnusable
from genpulse.provider.passthrough import FreeInput
from genpulse.providers.fal import provider
from genpulse.testing.server import PNG
from tests.integration.providers.scripted import Scripted, Told, call_of, content_of, engine_of, job_of

APP = "fal-ai/flux/dev"
WANTED = FreeInput.model_validate({"prompt": "a fox"})
LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
POLICY = {"loc": ["body", "prompt"], "msg": "Flagged", "type": "content_policy_violation"}
FIELD = {"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}


@pytest.fixture
async def vendor() -> AsyncIterator[Scripted]:
    async with Scripted().running() as scripted:
        yield scripted


def engine(vendor: Scripted):
    return engine_of(provider(vendor.settings()), APP)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": "Authentication is required"}, AuthenticationFailed),
        (403, {"detail": LOCKED}, QuotaExhausted),
        (403, {"detail": "Exhausted balance"}, QuotaExhausted),
        (402, {"detail": "Payment required"}, QuotaExhausted),
        (403, {"detail": "Invalid API key"}, AuthenticationFailed),
        (403, {"detail": "You may not use this app"}, ProviderRejected),
        (403, b"<html>Just a moment...</html>", ProviderRejected),
        (404, {"detail": "Application 'fal-ai/flux' not found"}, InvalidInput),
        (422, {"detail": [FIELD]}, InvalidInput),
        (422, {"detail": [POLICY]}, ModerationBlocked),
        (400, {"detail": "bad"}, InvalidInput),
        (429, {"detail": "Too many requests"}, RateLimited),
        (429, {"detail": LOCKED}, QuotaExhausted),
    ],
)
async def test_an_order_that_is_refused_costs_nothing_and_says_why(vendor, status, body, error):
    vendor.always(body, status)
    with pytest.raises(error) as caught:
        await engine(vendor).submit(call_of(WANTED))
    assert type(caught.value) is error
    assert caught.value.charged is Charged.NO
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 423, 425, 500, 502, 503, 504, 520, 529, 302])
@pytest.mark.parametrize(
    "body", [{"detail": "it failed"}, {"detail": [FIELD]}, {"detail": LOCKED}, b"<html/>", b""]
)
async def test_any_other_status_leaves_the_order_open_whatever_its_words_are(vendor, status, body):
    vendor.always(body, status)
    with pytest.raises(UnknownOutcome) as caught:
        await engine(vendor).submit(call_of(WANTED))
    assert caught.value.charged is Charged.MAYBE
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("request_id", ["", "  ", None, True, 7.5, ["r"], "..", {"id": "r"}])
async def test_an_order_without_a_name_is_an_unusable_answer(vendor, request_id):
    vendor.always({"request_id": request_id})
    with pytest.raises(AnswerUnusable, match="names no job"):
        await engine(vendor).submit(call_of(WANTED))


@pytest.mark.parametrize(("given", "job_id"), [(7, "7"), (0, "0"), (-12, "-12"), (2**64, str(2**64))])
async def test_a_number_is_a_name_as_well(vendor, given, job_id):
    vendor.always({"request_id": given, "status": "queued"})
    assert (await engine(vendor).submit(call_of(WANTED))).job_id == job_id


async def test_an_error_in_place_of_an_id_may_be_charged(vendor):
    vendor.always({"error": {"message": "no runner is free", "code": "no_runner"}})
    with pytest.raises(ProviderRejected, match="no runner is free") as caught:
        await engine(vendor).submit(call_of(WANTED))
    assert caught.value.charged is Charged.MAYBE


async def test_an_id_is_one_segment_of_each_path(vendor):
    vendor.always({"request_id": "a#b/c d+e", "status": "COMPLETED"})
    fal = engine(vendor)
    submission = await fal.submit(call_of(WANTED))
    assert submission.job_id == "a#b/c d+e"
    await fal.poll(job_of(submission.job_id, WANTED))
    await fal.cancel(job_of(submission.job_id, WANTED))
    below = "/fal-ai/flux/requests/a%23b%2Fc%20d%2Be"
    assert [asked.path for asked in vendor.asked] == [f"/{APP}", f"{below}/status?logs=1", f"{below}/cancel"]


@pytest.mark.parametrize(
    ("told", "done", "message", "odd"),
    [
        ({"status": "COMPLETED"}, True, None, None),
        ({"status": "completed"}, True, None, None),
        ({"status": "Succeeded"}, True, None, None),
        ({"status": "IN_QUEUE", "queue_position": 3}, False, "3 before it in fal's queue", None),
        ({"status": "in_queue", "queue_position": None}, False, None, None),
        ({"status": "IN_PROGRESS", "logs": [{"message": "step 1"}]}, False, "step 1", None),
        ({"status": "IN_PROGRESS", "logs": {"message": "step 1"}}, False, None, None),
        ({"status": "IN_PROGRESS", "logs": [None]}, False, None, None),
        ({"status": "WARMING"}, False, None, "WARMING"),
        ({"status": 7}, False, None, "7"),
        ({"status": ["COMPLETED"]}, False, None, "what is no word"),
    ],
)
async def test_where_a_request_stands(vendor, told, done, message, odd):
    vendor.always(told)
    progress = await engine(vendor).poll(job_of("r", WANTED))
    assert (progress.done, progress.message, progress.odd, progress.failed) == (done, message, odd, None)


@pytest.mark.parametrize("word", ["FAILED", "ERROR", "cancelled", "Canceled", "expired", "rejected"])
async def test_a_request_that_is_told_to_have_failed_may_be_charged(vendor, word):
    vendor.always({"status": word, "error": "the runner died", "error_type": "runner_server_error"})
    progress = await engine(vendor).poll(job_of("r", WANTED))
    assert progress.failed.charged is Charged.MAYBE
    assert "the runner died" in progress.failed.message


@pytest.mark.parametrize("told", [{}, {"detail": "hello"}, {"error": {"message": "try later"}}, {"status": None}])
async def test_an_answer_without_a_status_is_none(vendor, told):
    vendor.always(told)
    with pytest.raises(AnswerUnusable):
        await engine(vendor).poll(job_of("r", WANTED))


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "words"),
    [
        (500, {"detail": "it crashed"}, {"X_Fal_Error_Type": "internal_error"}, ProviderRejected, "it crashed"),
        (504, {"detail": "too slow", "error_type": "request_timeout"}, {}, ProviderRejected, "request_timeout"),
        (422, {"detail": [POLICY]}, {}, ModerationBlocked, "Flagged"),
        (422, {"detail": [FIELD]}, {}, InvalidInput, "body/prompt: Field required"),
        (422, {"detail": "no such size"}, {}, ProviderRejected, "no such size"),
        (400, {"detail": [FIELD]}, {}, InvalidInput, "Field required"),
        (400, {"detail": "no"}, {"X_Fal_Error_Type": "bad_request"}, ProviderRejected, "bad_request"),
        (500, b"Internal Server Error", {"X_Fal_Error_Type": "internal_error"}, ProviderRejected, "Internal"),
    ],
)
async def test_an_app_that_failed_is_told_where_its_result_is(vendor, status, body, headers, error, words):
    vendor.always(body, status, **headers)
    with pytest.raises(error, match=words) as caught:
        await engine(vendor).collect(job_of("r", WANTED))
    assert type(caught.value) is error
    assert caught.value.charged is Charged.MAYBE
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "body", "because", "missing"),
    [
        (500, {"detail": "Internal Server Error"}, FailureCode.PROVIDER_UNAVAILABLE, False),
        (503, b"<html>nginx</html>", FailureCode.PROVIDER_UNAVAILABLE, False),
        (400, {"detail": "Request is still in progress"}, FailureCode.PROVIDER_REJECTED, False),
        (401, {"detail": "Invalid token"}, FailureCode.AUTHENTICATION_FAILED, False),
        (403, {"detail": LOCKED}, FailureCode.QUOTA_EXHAUSTED, False),
        (403, b"<html>Just a moment...</html>", FailureCode.PROVIDER_REJECTED, False),
        (404, {"detail": "Request not found"}, FailureCode.PROVIDER_REJECTED, True),
        (429, {"detail": "Too many"}, FailureCode.RATE_LIMITED, False),
    ],
)
async def test_what_is_about_the_asking_says_nothing_of_the_request(vendor, status, body, because, missing):
    vendor.answer = lambda asked: Told({"status": "COMPLETED"}) if "/status" in asked.path else Told(body, status)
    with pytest.raises(QuestionRefused) as caught:
        await engine(vendor).collect(job_of("r", WANTED))
    assert (caught.value.because, caught.value.missing) == (because, missing)


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        ({"error": "out of memory", "error_type": "runner_server_error"}, ProviderRejected, "out of memory"),
        ({"error": {"message": "out of memory"}}, ProviderRejected, "out of memory"),
        ({"error": [POLICY]}, ModerationBlocked, "Flagged"),
        ({"error": "NSFW content detected"}, ModerationBlocked, "NSFW"),
    ],
)
async def test_a_result_that_is_refused_is_explained_by_the_status_of_its_request(vendor, told, error, words):
    failed = Told({"status": "COMPLETED", **told})
    for result in (Told({"detail": "no"}, 500), Told({"images": []})):
        vendor.answer = lambda asked, result=result: failed if "/status" in asked.path else result
        with pytest.raises(error, match=words) as caught:
            await engine(vendor).collect(job_of("r", WANTED))
        assert caught.value.charged is Charged.MAYBE


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ({"error": {"message": "the model died", "code": 7}}, ProviderRejected),
        ({"error": "the model died"}, ProviderRejected),
        ({"error": {"message": "the model died", "type": "content_policy_violation"}}, ModerationBlocked),
    ],
)
async def test_an_error_is_no_result(vendor, result, error):
    vendor.always(result)
    with pytest.raises(error, match="the model died") as caught:
        await engine(vendor).collect(job_of("r", WANTED))
    assert caught.value.charged is Charged.MAYBE


async def test_a_status_in_place_of_the_result_is_none(vendor):
    vendor.always({"status": "IN_PROGRESS", "request_id": "r", "logs": None}, 202)
    with pytest.raises(AnswerUnusable, match="no result yet"):
        await engine(vendor).collect(job_of("r", WANTED))


async def test_the_marks_of_a_result_are_kept_beside_its_files(vendor):
    def answer(asked):
        if asked.path.startswith("/output/"):
            return Told(PNG)
        images = [{"url": f"{vendor.base_url}/output/{place}"} for place in range(2)]
        return Told({"images": images, "has_nsfw_concepts": [False, True], "error": None})

    vendor.answer = answer
    result = await engine(vendor).collect(job_of("r", WANTED))
    assert [await content_of(output) for output in result.outputs] == [PNG, PNG]
    assert [(warning.code, warning.index) for warning in result.warnings] == [("flagged", 1)]
    assert [asked.path for asked in vendor.asked][1:] == ["/output/0", "/output/1"]
    assert all("Authorization" not in asked.headers for asked in vendor.asked[1:])


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(404, {"detail": "Request not found"}, "the key is taken"), (200, {"status": "COMPLETED"}, "it answers")],
)
async def test_a_key_that_is_taken_is_told_from_one_that_is_not(vendor, status, body, words):
    vendor.always(body, status)
    assert await provider(vendor.settings()).probe() == words
    vendor.always({"detail": LOCKED}, 403)
    with pytest.raises(QuotaExhausted):
        await provider(vendor.settings()).probe()


OURS = "https://v3.fal.media/files/fox/a.png"
OTHERS = "https://files.example/a.png"
ECHO = "https://caller.example/fox.png"


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (
            {
                "images": [{"url": OTHERS, "content_type": "image/png", "width": 8}],
                "seed": 7,
                "prompt": OTHERS + "?x",
            },
            {
                "images": [{"url": OutputPlace(0), "content_type": "image/png", "width": 8}],
                "seed": 7,
                "prompt": OTHERS + "?x",
            },
        ),
        ({"video": {"url": OTHERS}}, {"video": {"url": OutputPlace(0)}}),
        (
            {"model_mesh": {"url": OTHERS, "file_name": "a.glb"}},
            {"model_mesh": {"url": OutputPlace(0), "file_name": "a.glb"}},
        ),
        ({"result": OURS, "text": "a fox"}, {"result": OutputPlace(0), "text": "a fox"}),
        (
            {"image": {"url": OURS}, "sources": [{"url": OTHERS, "title": "a page"}], "image_url": ECHO},
            {"image": {"url": OutputPlace(0)}, "sources": [{"url": OTHERS, "title": "a page"}], "image_url": ECHO},
        ),
        (
            {
                "images": [{"url": "data:image/png;base64,aGk", "content_type": "image/png"}, None],
                "timings": {"a": 0.5},
            },
            {
                "images": [{"url": OutputPlace(0), "content_type": "image/png"}, OutputPlace(1)],
                "timings": {"a": 0.5},
            },
        ),
        ({"output": f"see {OTHERS}", "usage": 3}, {"output": f"see {OTHERS}", "usage": 3}),
        ({"image": {"url": OURS, "$asset": "x"}}, {"image": {"url": OutputPlace(0), "$asset": "x"}}),
    ],
)
async def test_files_are_file_objects_and_what_lies_at_fal(vendor, told, answer):
    vendor.always(told)
    wanted = FreeInput.model_validate({"prompt": "a fox", "image_url": ECHO})
    assert (await engine(vendor).collect(job_of("r", wanted))).answer == answer
