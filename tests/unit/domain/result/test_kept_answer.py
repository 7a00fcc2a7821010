"""What goes in as an answer comes out as a result, whatever it is."""

import json
import math
from uuid import UUID

import pytest
from hypothesis import given
from pydantic_core import from_json, to_json

from genpulse.domain.json.place import values
from genpulse.domain.result.answer import OutputPlace
from genpulse.domain.result.kept_answer import DEPTH, LIMIT_BYTES, kept_shortened, kept_whole
from genpulse.domain.result.task_result import tells_more
from genpulse.domain.text.storable import storable
from genpulse.domain.warning import WarningCode
from tests.answers import ASSET_IDS, answers, as_shown

ID = str(ASSET_IDS[0])
URL = "https://own.example/v1/assets/x/content?signature=a&b=%2F"


def kept(answer):
    return kept_whole(answer, ASSET_IDS) or kept_shortened(answer, ASSET_IDS)


@given(answers())
def test_whatever_is_small_is_kept_as_it_came_with_a_reference_for_each_file(answer):
    whole = kept_whole(answer, ASSET_IDS)
    assert whole is not None
    assert whole.result.value_with(str) == as_shown(answer, str)
    text = whole.result.text_with_urls(lambda asset_id: f"{URL}&{asset_id}")
    document = from_json(text)
    assert from_json(to_json(document)) == document
    found = [value for _, value in values(document) if isinstance(value, dict) and "$asset" in value]
    assert all(one == {"$asset": one["$asset"], "url": f"{URL}&{one['$asset']}"} for one in found)
    assert {UUID(one["$asset"]) for one in found} <= {*ASSET_IDS.values()}
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"seed": 7, "image": OutputPlace(0)}, f'{{"seed":7,"image":{{"$asset":"{ID}"}}}}'),
        (
            {"zz": 1, "a": 2, "b": [OutputPlace(0), OutputPlace(9)]},
            f'{{"zz":1,"a":2,"b":[{{"$asset":"{ID}"}},null]}}',
        ),
        ({"$asset": ID}, f'{{"$$asset":"{ID}"}}'),
        ({"$$asset": ID, "$assets": 1, "asset": 2}, f'{{"$$$asset":"{ID}","$assets":1,"asset":2}}'),
        ([f'{{"$asset":"{ID}"}}'], f'["{{\\"$asset\\":\\"{ID}\\"}}"]'),
        ([1e22, -0.0, 2**64, 0.1], "[1e+22,-0.0,18446744073709551616,0.1]"),
        ("a\0b\ud83d", '"a\ufffdb\ufffd"'),
        ({"a\0": 1, "a\x01": 2}, '{"a\ufffd":1,"a\ufffd\ufffd":2}'),
        (((1, ()), {}), "[[1,[]],{}]"),
        (OutputPlace(0), f'{{"$asset":"{ID}"}}'),
    ],
)
def test_an_answer_is_kept_so(answer, text):
    kept = kept_whole(answer, ASSET_IDS)
    assert kept.result.text == text
    assert kept.warning is None


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 10**300, -(10**5000)], ids=type)
def test_a_number_that_is_none_elsewhere_is_null_and_that_is_said(number):
    kept = kept_whole([number, 1], ASSET_IDS)
    assert kept.result.text == "[null,1]"
    assert kept.warning.code is WarningCode.TRUNCATED
    assert "values that JSON cannot hold: 1" in kept.warning.message


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), 3 + 4j])
def test_what_no_json_has_costs_nothing_beside_it(value):
    kept = kept_whole({"a": value, "file": OutputPlace(0)}, ASSET_IDS)
    assert kept.result.text == f'{{"a":null,"file":{{"$asset":"{ID}"}}}}'
    assert kept.warning is not None


def deep(levels, inner):
    for number in range(levels):
        inner = [inner] if number % 2 else {"a": inner}
    return inner


@pytest.mark.parametrize(
    "answer",
    [
        "x" * (LIMIT_BYTES - 1),
        "\N{SNOWMAN}" * (LIMIT_BYTES // 2),
        "\n" * LIMIT_BYTES,
        {"text": "x" * 10**7, "file": OutputPlace(0)},
        [0] * 10**6,
        [OutputPlace(0)] * 10**5,
        [OutputPlace(7)] * 10**5,
        {str(number): number for number in range(10**5)},
        {"x" * 10**6 + str(number): number for number in range(10)},
        {"\n" * 300 + str(number): "\n" * 300 for number in range(10**4)},
        [[["y" * 100] * 100] * 100] * 100,
        [{"a": [[1]]}] * 10**5,
        deep(1_000, OutputPlace(0)),
        deep(100_000, "x"),
        deep(10, ["x" * 1000] * 1000),
        [deep(5, "x" * 300)] * 10_000,
        {"embedding": [0.123456789] * 10**5, "seed": 7},
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_what_is_too_large_is_kept_shortened_and_that_is_said(answer):
    assert kept_whole(answer, ASSET_IDS) is None or kept_whole(answer, ASSET_IDS).warning
    shortened = kept(answer)
    assert 0 < len(shortened.result.text.encode()) <= LIMIT_BYTES
    assert shortened.warning.code is WarningCode.TRUNCATED
    value = from_json(shortened.result.text_with_urls(lambda _: URL))
    from_json(to_json({"data": {"result": value}}))
    assert shortened.result.value_with(lambda _: URL) is not None


def test_of_what_is_too_large_long_texts_go_first():
    value = kept({"text": "x" * 10**6, "deep": deep(10, 1), "list": [*range(100)], "seed": 7}).result.value_with(
        str
    )
    assert value["deep"] == deep(10, 1)
    assert (value["list"], value["seed"]) == ([*range(100)], 7)
    assert value["text"] == storable("x" * 10**6, 131_072)


def test_then_inner_parts_go_before_items():
    value = kept({"list": [{"id": n, "more": [{"a": ["x" * 10] * 9}]} for n in range(5000)], "seed": 7})
    value = value.result.value_with(str)
    assert value["seed"] == 7
    assert [item["id"] for item in value["list"]] == [*range(5000)]


def test_a_result_may_be_exactly_as_large_as_the_limit():
    assert len(kept_whole("x" * (LIMIT_BYTES - 2), {}).result.text) == LIMIT_BYTES
    assert kept_whole("x" * (LIMIT_BYTES - 1), {}) is None


def test_levels_are_kept_down_to_the_bound():
    assert kept_whole(deep(DEPTH, 1), {}).warning is None
    assert "inner parts: 1" in kept_whole(deep(DEPTH + 1, 1), {}).warning.message


def test_an_answer_that_holds_itself_comes_to_an_end():
    answer: list = [1]
    answer += [answer, answer, answer]
    assert kept(answer).warning is not None


REF = {"$asset": ID, "url": URL}


@pytest.mark.parametrize(
    ("result", "more"),
    [
        (REF, False),
        ([REF, None, REF], False),
        ({"images": [REF, REF]}, False),
        ({"video": REF}, False),
        ({"images": [{"url": REF, "content_type": "image/png", "width": 1, "height": 2, "file_size": 3}]}, False),
        ([{"url": REF}, {"url": None}, None], False),
        (None, False),
        ([], False),
        ({"images": []}, False),
        ({"images": [REF], "seed": 7}, True),
        ({"mask": REF}, True),
        ({"image": REF, "file": REF}, True),
        ({"images": [{"url": REF, "file_name": "fox.png"}]}, True),
        ([[REF], [REF]], True),
        ([REF, "a caption"], True),
        ("a fox", True),
        (0, True),
        ({}, True),
        ({"$$asset": ID}, True),
    ],
)
def test_a_result_tells_more_than_its_files(result, more):
    assert tells_more(json.loads(json.dumps(result))) is more
