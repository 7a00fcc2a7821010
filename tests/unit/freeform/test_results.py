"""What a result consists of, by its values alone."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.errors import (
    ModerationBlocked,
    OutputUnavailable,
    ProviderError,
    ProviderRejected,
)
from genpulse.domain.failure import Charged
from genpulse.domain.json.place import values
from genpulse.domain.warning import WarningCode
from genpulse.provider import Missing, OutputPlace
from genpulse.provider.passthrough import outputs_of, result_of


class Url:
    """Stands for what `Account.fetch_public` gives."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.url.encode()


def seen(result) -> list:
    """Each output as its URL, its bytes, or `None` where it is missing."""
    found = []
    for output in outputs_of(result, Url):
        match output.content:
            case Missing():
                found.append(None)
            case Url(url=url):
                found.append(url)
            case content:
                found.append(content)
    return found


A, B, C = "https://x.example/a.png", "https://x.example/b?sig=%2F", "http://x.example/c"
HI = "data:text/plain;base64,aGk"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (A, [A]),
        (f" {A}\n", [A]),
        ("HTTPS://X.example/A", ["HTTPS://X.example/A"]),
        ([A, B, A], [A, B]),
        ({"images": [{"url": A, "width": 1}, {"url": B}], "seed": 7, "prompt": "a fox"}, [A, B]),
        ({"a": {"b": [[None, [A]]]}, "c": None, "video": {"url": C}}, [C]),
        ({"images": [[None, [A]]], "c": None, "video": {"url": C}}, [A, C]),
        ({"image": A, "prompt": B}, [A]),
        ({"mask_image": A, "input_echo": B}, [A]),
        ({"thing": {"url": A, "content_type": "model/gltf"}, "source": {"url": B, "title": "a page"}}, [A]),
        ({"images": [{"url": A}], "prompt": "https://x.example/ in the style of a fox"}, [A]),
        (HI, [b"hi"]),
        ("data:image/svg+xml,%3Csvg%2F%3E", [b"<svg/>"]),
        (" DATA:binary/octet-stream ;base64,aGk", [b"hi"]),
        ("data:;base64,aGk", [b"hi"]),
        ("Data: the fox is red, and more", [b"Data: the fox is red, and more"]),
        ("data:1,2,3", [b"data:1,2,3"]),
        ({"output": "data:\nx, y"}, [b"data:\nx, y"]),
        (["Data: ", "a, b"], [b"Data: a, b"]),
        ([HI, A], [b"hi", A]),
    ],
)
def test_files_are_what_stands_where_files_stand(result, expected):
    assert seen(result) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ([A, None], [A, None]),
        ([None, A, ""], [None, A, None]),
        ({"images": [{"url": A}, {"url": None}, {"url": B}]}, [A, None, B]),
        ({"images": [{"url": A}, {"url": "", "nsfw": True}, None]}, [A, None, None]),
        ([A, "data:image/png;base64,%%"], [A, None]),
        (["data:image/png;base64,%", HI], [None, b"hi"]),
        ({"images": [{"url": A}], "timings": [None], "video": None}, [A]),
        ([A, "a caption", 7], [A]),
    ],
)
def test_what_is_missing_keeps_its_place(result, expected):
    assert seen(result) == expected


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("a red fox", "a red fox"),
        (["a ", None, "fox"], "a fox"),
        ({"output": "a fox", "partial": False, "error": None}, "a fox"),
        ({"output": ["a ", "fox"], "request_id": "r1"}, "a fox"),
        ({"prompt": "a fox, at dawn, in oil"}, "a fox, at dawn, in oil"),
        ({"images": [], "description": "I cannot draw that."}, "I cannot draw that."),
        ("half an emoji \ud83d", "half an emoji ?"),
    ],
)
def test_words_are_an_output_as_they_are(result, text):
    (output,) = outputs_of(result, Url)
    assert output.is_text
    assert output.content == text.encode()


@pytest.mark.parametrize(
    "result",
    [
        {"nsfw_probability": 0.93},
        {"nsfw": False},
        0,
        False,
        [0.1, -2e-3, 7],
        {"boxes": [[1, 2], [3, 4]], "labels": ["fox", "hen"]},
        {"text": "a fox", "chunks": [{"text": "a", "at": 0.1}]},
        {"text": "a fox", "language": "en"},
        {"score": 0.5, "error": None, "images": [1]},
    ],
)
def test_numbers_and_structure_are_an_output_as_json(result):
    (output,) = outputs_of(result, Url)
    assert output.is_text
    assert json.loads(output.content) == result


@pytest.mark.parametrize(
    "result",
    [
        None,
        "",
        "  \n",
        [],
        {},
        [None, "", [[]]],
        {"images": []},
        {"images": [], "seed": 7, "has_nsfw_concepts": [], "prompt": "a fox"},
        {"video": None, "seed": 7},
        {"output": None, "logs": ""},
    ],
)
def test_an_empty_result_is_none(result):
    with pytest.raises(OutputUnavailable, match="is empty") as caught:
        outputs_of(result, Url)
    assert caught.value.charged is Charged.YES


@pytest.mark.parametrize(
    ("result", "error", "words"),
    [
        ({"error": "NSFW content detected"}, ModerationBlocked, "NSFW content detected"),
        ({"error": {"message": "no", "type": "content_policy_violation"}}, ModerationBlocked, "no"),
        ({"error": "another service has no credit"}, ProviderRejected, "no credit"),
        ({"error": {"message": "out of memory", "code": "oom"}}, ProviderRejected, "out of memory"),
        ({"error": True, "message": "the model was not found", "code": 5}, ProviderRejected, "was not found"),
        ({"error": "no", "seed": 7, "request_id": "r1", "images": []}, ProviderRejected, "no"),
        ({"detail": [{"loc": ["body"], "msg": "too long"}]}, ProviderRejected, "too long"),
    ],
)
def test_an_error_in_place_of_a_result_is_told_in_the_vendors_words(result, error, words):
    with pytest.raises(error, match=words) as caught:
        outputs_of(result, Url)
    assert caught.value.charged is Charged.MAYBE


@pytest.mark.parametrize(
    "result", ["data:image/png;base64,", ["data:image/png;base64,%", "data:,"], "data:image/png"]
)
def test_where_no_file_can_be_read_there_is_none(result):
    with pytest.raises(OutputUnavailable, match="cannot be read"):
        outputs_of(result, Url)


def test_an_error_beside_a_file_costs_no_file():
    assert seen({"error": "one was filtered", "images": [{"url": A}, None]}) == [A, None]


def test_marks_are_warnings():
    result = result_of({"images": [{"url": A}, {"url": B}], "has_nsfw_concepts": [False, True]}, Url)
    assert [(warning.code, warning.index) for warning in result.warnings] == [(WarningCode.FLAGGED, 1)]


P = [OutputPlace(number) for number in range(4)]


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (A, P[0]),
        ([A, None, B, A, ""], [P[0], P[1], P[2], P[0], P[3]]),
        (
            {"b": 1, "images": [{"url": A, "w": 1}, {"url": "", "nsfw": True}]},
            {"b": 1, "images": [{"url": P[0], "w": 1}, {"url": P[1], "nsfw": True}]},
        ),
        ({"prompt": A, "image": B, "$asset": "x"}, {"prompt": A, "image": P[0], "$asset": "x"}),
        ({"image": HI, "text": "data:text/plain;base64,aGk", "seed": 7}, {"image": P[0], "text": P[0], "seed": 7}),
        ({"text": "a fox", "at": [0.5]}, {"text": "a fox", "at": [0.5]}),
    ],
)
def test_the_answer_is_the_result_with_places_for_its_files(result, answer):
    before = json.dumps(result)
    assert result_of(result, Url).answer == answer
    assert json.dumps(result) == before


def test_a_result_that_is_nested_deeply_is_no_trouble():
    deep = A
    for _ in range(100_000):
        deep = [deep]
    assert seen(deep) == [A]
    deep = 7
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(OutputUnavailable, match="too deeply"):
        outputs_of(deep, Url)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from([A, B, HI, "data:,"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["images", "error", "url", "text", "prompt"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_whatever_comes_is_outputs_or_an_error_of_ours(result):
    try:
        outputs = outputs_of(result, Url)
    except ProviderError as error:
        assert error.charged is not Charged.NO  # noqa: PT017 - some results are no error
        return
    assert outputs
    for _, value in values(result_of(result, Url).answer):
        assert not isinstance(value, OutputPlace) or value.index < len(outputs)
    assert all(output.content or output.content == b"" for output in outputs)
    assert all(isinstance(output.content, bytes | Url | Missing) for output in outputs)
