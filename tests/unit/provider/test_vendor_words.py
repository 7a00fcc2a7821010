"""Words of vendors: of a status, of a refusal, of an id, and marks about what was made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.warning import WarningCode
from genpulse.provider import Missing, OutputUnavailable
from genpulse.provider.flags import flags_of
from genpulse.provider.http import AnswerUnusable
from genpulse.provider.job_id import in_path, taken_as
from genpulse.provider.refusal_words import names_key, says_moderated, says_no_credit, says_no_model
from genpulse.provider.status_words import FIELD, Standing, StatusWords, shown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.DONE, ["succeeded", "COMPLETED", "Completed", "done", "Success", " finished ", "READY"]),
        (Standing.FAILED, ["failed", "FAILURE", "error", "expired", "rejected", "Timed Out", "timed-out"]),
        (Standing.CANCELED, ["canceled", "cancelled", "CANCELLED"]),
        (Standing.RUNNING, ["queued", "IN_QUEUE", "in-progress", "In Progress", "processing", "pending"]),
        (Standing.ODD, ["warming", "", "   ", None, 7, True, ["done"], {"done": "done"}, 0.5, "not done"]),
    ],
)
def test_a_word_is_known_in_all_its_spellings(standing, words):
    assert [FIELD.standing(word) for word in words] == [standing] * len(words)


def test_an_operator_adds_words_and_may_turn_one_round():
    words = FIELD.with_more(done="Fertig, in progress", failed="kaputt,", running=" warming ,incomplete")
    assert words.standing("FERTIG") is Standing.DONE
    assert words.standing("in_progress") is Standing.DONE
    assert words.standing("kaputt") is Standing.FAILED
    assert words.standing("Warming") is Standing.RUNNING
    assert words.standing("incomplete") is Standing.RUNNING
    assert FIELD.with_more() == FIELD


def test_only_an_end_without_an_output_is_lost():
    assert [one for one in Standing if one.is_lost] == [Standing.FAILED, Standing.CANCELED]


@given(JSON)
def test_anything_at_all_has_a_standing_and_can_be_shown(word):
    assert FIELD.standing(word) in Standing
    assert len(shown(word)) <= 100
    assert StatusWords().standing(word) is Standing.ODD


@pytest.mark.parametrize(
    "words",
    [
        "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
        "User is locked.",
        "Exhausted balance",
        "You have insufficient credit to run this model. Go to https://replicate.com/account/billing",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
        "Billing hard limit has been reached",
        "Insufficient funds",
        "Your credits are exhausted",
        "Out of credits",
        "Your account has an overdue balance",
    ],
)
def test_an_account_without_credit_is_told(words):
    assert says_no_credit(words)


@pytest.mark.parametrize(
    "words",
    [
        "Request was throttled. Your rate limit is reduced to 6 requests per minute with a burst of 1 requests",
        "Your rate limit is lower while you have less than $5.0 in credit. Your rate limit resets in ~30s.",
        "Rate limit reached for gpt-image-1",
        "white balance has to be a number",
        "The engine is currently overloaded",
    ],
)
def test_a_rate_is_no_credit(words):
    assert not says_no_credit(words)


@pytest.mark.parametrize(
    ("words", "is_key"),
    [
        ("Incorrect API key provided: sk-1", True),
        ("Invalid token.", True),
        ("Cannot access application. Authentication is required.", True),
        ("No credentials were given", True),
        ("Your organization must be verified to use the model `gpt-image-1`.", False),
        ("This key cannot use the model gpt-image-2", False),
        ("max_tokens is too large", False),
        ("Forbidden", False),
        ("<html><title>Just a moment...</title>", False),
        ("", False),
    ],
)
def test_the_key_is_told_from_what_is_closed_to_it(words, is_key):
    assert names_key(words) is is_key


@pytest.mark.parametrize(
    "words",
    [
        "The model `flux` does not exist or you do not have access to it.",
        "model_not_found",
        "litellm.BadRequestError: Invalid model name passed in model=flux",
        "Model 'flux' not found",
        "unknown model: flux",
        "The API deployment for this resource does not exist",
        "model flux is not supported by this server",
        "model 'Qwen/Qwen-Image' not found, try pulling it first",
        "Model not found: flux",
        "You do not have access to the model flux",
    ],
)
def test_a_model_that_is_not_there_is_told(words):
    assert says_no_model(words)


@pytest.mark.parametrize(
    "words",
    [
        "Invalid value: 'huge'",
        "size is not supported",
        "prompt is required",
        "The requested size is not available for this model",
        "the model takes no picture, and the field image was not found to be empty",
        "",
    ],
)
def test_another_refusal_is_about_no_model(words):
    assert not says_no_model(words)


@pytest.mark.parametrize(
    ("words", "is_moderated"),
    [
        ("Your request was rejected by the safety system", True),
        ("NSFW content detected. Try another prompt.", True),
        ("content_policy_violation", True),
        ("litellm.ContentPolicyViolationError", True),
        ("The prompt violates our usage policies", True),
        ("The input was flagged", True),
        ("Sensitive content", True),
        ("safety_checker is no field", False),
        ("the name is case sensitive", False),
        ("moderation has to be low or auto", False),
    ],
)
def test_moderation_is_told_from_fields_that_speak_of_it(words, is_moderated):
    assert says_moderated(words) is is_moderated


@pytest.mark.parametrize(
    ("result", "found"),
    [
        ({"has_nsfw_concepts": [True]}, [0]),
        ({"images": [{"url": "u"}], "has_nsfw_concepts": [False, True, None]}, [1]),
        ({"images": [{"url": "u"}, {"url": "v", "is_nsfw": True}]}, [1]),
        ({"nsfw": True}, [None]),
        ([{"nsfw_content_detected": True}], [0]),
        ({"a": {"b": {"unsafe": True}}}, [None]),
        ({"has_nsfw_concepts": [False]}, []),
        ({"nsfw_probability": 0.93, "nsfw": 1, "unsafe": "true"}, []),
        ({"flagged": {"nsfw": [[True]]}}, []),
        ({"nsfw_filter": True, "allow_nsfw": True, "enable_nsfw_check": True, "nsfw_checker": True}, []),
        (None, []),
        ("nsfw", []),
    ],
)
def test_a_mark_is_told_with_its_place(result, found):
    flags = flags_of(result)
    assert [flag.index for flag in flags] == found
    assert all(flag.code is WarningCode.FLAGGED for flag in flags)


def test_marks_without_end_are_cut_and_depth_is_no_trouble():
    assert len(flags_of({"nsfw": [True] * 1000})) == 20
    deep: object = {"nsfw": True}
    for _ in range(50_000):
        deep = [deep]
    assert [flag.index for flag in flags_of(deep)] == [0]


@given(JSON)
def test_no_result_is_too_odd_to_be_looked_through(result):
    assert all(len(flag.message) <= 500 for flag in flags_of(result))


@pytest.mark.parametrize("value", ["", " ", "\n", ".", "..", None, 7.5, True, ["a"], {"id": "a"}])
def test_an_order_without_an_id_is_an_unusable_answer(value):
    with pytest.raises(AnswerUnusable, match="names no job"):
        taken_as(value, "{}")


@pytest.mark.parametrize(
    ("job_id", "segment"),
    [
        ("video_1", "video_1"),
        ("a#b/c d+e", "a%23b%2Fc%20d%2Be"),
        ("models/veo#31+x/y z", "models%2Fveo%2331%2Bx%2Fy%20z"),
        ("../../files", "..%2F..%2Ffiles"),
        ("ü?&=%", "%C3%BC%3F%26%3D%25"),
        ("\ud83d", "%3F"),
    ],
)
def test_an_id_is_one_segment_of_a_path(job_id, segment):
    assert taken_as(job_id, "") == job_id
    assert in_path(job_id) == segment


async def test_what_is_missing_is_told_whenever_it_is_read():
    missing = Missing("it was filtered")
    for _ in range(2):
        with pytest.raises(OutputUnavailable, match="it was filtered") as caught:
            [chunk async for chunk in missing]
        assert caught.value.charged == "yes"
