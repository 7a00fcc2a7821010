"""What a server answers about a job that speaks like OpenAI, and what is made of it."""

import base64
from collections.abc import AsyncIterator

import pytest

from genpulse.provider import (
    Charged,
    FailureCode,
    ModerationBlocked,
    OutputUnavailable,
    ProviderRejected,
    QuestionRefused,
)
from genpulse.provider.http import AnswerUnusable
from genpulse.providers.openai_compatible import provider
from genpulse.testing.server import PNG
from tests.integration.providers.hub import MODELS, asked, error, ordered
from tests.integration.providers.scripted import Scripted, Told, content_of

B64 = base64.b64encode(PNG).decode()


@pytest.fixture
async def vendor() -> AsyncIterator[Scripted]:
    async with Scripted().running() as scripted:
        yield scripted


@pytest.mark.parametrize("model", ["wan", "gpt"])
@pytest.mark.parametrize("job_id", ["", "  ", None, True, 7.5, ["v"], ".."])
async def test_an_order_without_a_name_is_an_unusable_answer(vendor, model, job_id):
    vendor.always({"id": job_id, "status": "queued"})
    with pytest.raises(AnswerUnusable, match="names no job"):
        await ordered(vendor, model)


@pytest.mark.parametrize("model", ["wan", "gpt"])
@pytest.mark.parametrize(("given", "job_id"), [(7, "7"), (0, "0"), (-12, "-12"), (2**64, str(2**64))])
async def test_a_number_is_a_name_as_well(vendor, model, given, job_id):
    vendor.always({"id": given, "status": "queued"})
    assert (await ordered(vendor, model)).job_id == job_id
    vendor.always({"id": given, **error("the node died")})
    assert "the node died" in (await asked(vendor, model, "poll", job_id)).failed.message


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


@pytest.mark.parametrize("word", ["queued", "in_progress", "IN-PROGRESS", "painting"])
@pytest.mark.parametrize("output", [None, [], [{"type": "image_generation_call", "result": None}]])
async def test_a_response_that_goes_on_after_all_has_no_result_yet(vendor, word, output):
    vendor.always({"id": "j", "status": word, "output": output})
    with pytest.raises(AnswerUnusable, match="goes on"):
        await asked(vendor, "gpt", "collect", running_words="painting")


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
