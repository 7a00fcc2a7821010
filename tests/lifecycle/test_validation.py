"""What was made, held against what was ordered."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from genpulse.domain.errors import OutputUnavailable, ProviderUnavailable, StorageUnavailable
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.kind import WELL_KNOWN, makes_media
from genpulse.domain.money.cost import Cost
from genpulse.domain.task import TaskStatus
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.lifecycle.retry import retry
from genpulse.provider import Output, Result
from genpulse.provider.http import AnswerLost, AnswerTooLarge
from tests.lifecycle.conftest import MEDIUM
from tests.lifecycle.odd_vendor import broken, once
from tests.lifecycle.test_odd_answers import ENDS_WITHIN_S, KIND, SHORT, Script, odd

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
SVG = b"<?xml version='1.0'?>\n<!-- a fox -->\n<svg xmlns='http://www.w3.org/2000/svg'/>"
WORDS = {
    "JSON": b'{"error": {"message": "the model is asleep"}}',
    "a list": b"[1, 2]",
    "XML": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "a page": b"<!doctype html><title>502 Bad Gateway</title>",
    "a text": b"I cannot draw that, but here is a poem.",
    "a text in another alphabet": "Лиса".encode(),
    "nothing": b"",
}
OLD_WORDS = {
    "Latin letters in an old code": ("Zugriff verweigert für Sie", "latin-1"),
    "a text in UTF-16": ("I cannot draw that: Лиса", "utf-16"),
    "JSON in UTF-16": ('{"error": "the model is asleep"}', "utf-16"),
}
TAKEN = {
    "a picture": PNG,
    "a drawing": SVG,
    "a drawing of a program that numbers its names": b"<ns0:svg xmlns:ns0='http://www.w3.org/2000/svg'/>",
    "a drawing in UTF-16": SVG.decode().encode("utf-16"),
    "bytes that nobody knows": MEDIUM + b"??",
    "sound without a header": bytes(range(256)),
    "bytes without controls": bytes(range(0x80, 0x100)),
}
SHAPES = ["studio", "shop"]


def cases(table):
    return [pytest.param(content, id=name) for name, content in table.items()]


def result_of(*outputs, **more):
    """A script that gives this result once, in both shapes."""
    result = Result(tuple(one if isinstance(one, Output) else Output(one) for one in outputs), **more)
    return {"submit": Script(lambda: result, 1), "collect": Script(lambda: result, 1)}


@asynccontextmanager
async def patient(world, script):
    """A vendor whose answers may take their time: none of these is late."""
    async with odd(world, script, bounds=SHORT) as (studio, shop):
        studio.longest_s = ENDS_WITHIN_S
        yield studio, shop


async def run(world, model, *outputs, kind=KIND, **more):
    async with patient(world, result_of(*outputs, **more)) as (studio, shop):
        ended = await world.ended(await world.submit(f"art/{model}", kind=kind), ENDS_WITHIN_S)
    assert studio.submits + shop.sold == 1
    return ended


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        *((kind, kind not in {"any", "noop"}) for kind in WELL_KNOWN),
        ("image-to-text", False),
        ("speech-to-text", False),
        ("text-to-audio", True),
        ("text-to-sound", True),
        ("video-to-video", True),
        ("image", True),
        ("imagery", False),
    ],
)
def test_a_kind_tells_whether_media_are_wanted(kind, media):
    assert makes_media(kind) is media


@pytest.mark.parametrize("model", SHAPES)
@pytest.mark.parametrize("content", cases(WORDS))
async def test_words_in_place_of_a_video_are_no_success(world, model, content):
    ended = await run(world, model, content)
    assert (ended.error.code, ended.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
    assert ended.error.message
    if content:
        assert content.decode()[:20].split("\n")[0] in ended.error.message


@pytest.mark.parametrize("model", SHAPES)
@pytest.mark.parametrize(("text", "code"), [pytest.param(*two, id=name) for name, two in OLD_WORDS.items()])
async def test_words_in_an_old_code_are_no_video_either(world, model, text, code):
    ended = await run(world, model, text.encode(code))
    assert (ended.error.code, ended.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
    assert text[:18] in ended.error.message
    ended = await run(world, model, PNG, text.encode(code))
    assert [warning.code for warning in ended.warnings] == [WarningCode.OUTPUT_MISSING]


@pytest.mark.parametrize("model", SHAPES)
@pytest.mark.parametrize("content", cases(TAKEN))
async def test_whatever_is_no_words_is_taken(world, model, content):
    ended = await run(world, model, once(content))
    assert (ended.status, ended.warnings) == (TaskStatus.SUCCEEDED, ())
    assert ended.outputs[0].content.size == len(content)


@pytest.mark.parametrize("model", SHAPES)
@pytest.mark.parametrize("content", cases({name: WORDS[name] for name in WORDS if name != "nothing"}))
async def test_words_are_what_is_wanted_where_anything_is(world, model, content):
    ended = await run(world, model, Output(content, is_text=True), kind="any")
    assert (ended.status, ended.warnings) == (TaskStatus.SUCCEEDED, ())


@pytest.mark.parametrize("model", SHAPES)
async def test_words_beside_a_picture_are_kept_and_words_in_its_place_are_missing(world, model):
    caption = Output(b"a red fox", is_text=True)
    ended = await run(world, model, caption, PNG, WORDS["JSON"])
    assert [one.content.media_type for one in ended.outputs] == ["text/plain", "image/png"]
    ((warning),) = ended.warnings
    assert (warning.code, warning.index) == (WarningCode.OUTPUT_MISSING, 2)
    assert "the model is asleep" in warning.message
    alone = await run(world, model, caption)
    assert alone.error.code is FailureCode.OUTPUT_UNAVAILABLE
    assert "a red fox" in alone.error.message


@pytest.mark.parametrize("model", SHAPES)
async def test_a_long_page_is_told_by_its_beginning(world, model):
    ended = await run(world, model, b"<!doctype html>" + b"<p>no" * 100_000, PNG)
    assert ended.status is TaskStatus.SUCCEEDED
    assert len(ended.warnings[0].message) <= 500
    alone = await run(world, model, *[json.dumps({"error": "x" * 10_000}).encode()] * 50)
    assert len(alone.error.message) <= 4_000


@pytest.mark.parametrize("model", SHAPES)
async def test_of_several_the_good_ones_are_kept_and_each_other_is_told(world, model, tmp_path):
    gone = OutputUnavailable("It was filtered.", charged=Charged.YES)
    flag = TaskWarning(WarningCode.FLAGGED, "The provider has marked what it made: nsfw.", 0)
    cost = Cost(Decimal(3))
    outputs = (once(PNG), broken(gone), tmp_path / "not-there.png", once(SVG), WORDS["a page"])
    ended = await run(world, model, *outputs, warnings=(flag,), cost=cost)
    assert (ended.status, ended.cost) == (TaskStatus.SUCCEEDED, cost)
    assert [one.content.media_type for one in ended.outputs] == ["image/png", "image/svg+xml"]
    assert [(one.code.value, one.index) for one in ended.warnings] == [
        ("flagged", 0),
        ("output_missing", 1),
        ("output_missing", 2),
        ("output_missing", 4),
    ]
    assert ended.warnings[1].message == "It was filtered."


@pytest.mark.parametrize("model", SHAPES)
@pytest.mark.parametrize("cost", [Cost(Decimal("NaN")), Cost(Decimal(-1)), Cost(Decimal(1), currency="EUR")])
async def test_a_cost_that_cannot_be_true_is_told_and_not_taken(world, model, cost):
    ended = await run(world, model, once(PNG), cost=cost)
    assert ended.status is TaskStatus.SUCCEEDED
    assert (ended.cost.amount_usd, ended.cost.flag) == (0, cost.oddity)
    assert ended.cost.reported == f"{cost.amount_usd} {cost.currency}"
    assert [warning.code for warning in ended.warnings] == ["cost_not_taken"]


@pytest.mark.parametrize("model", SHAPES)
async def test_none_of_several_is_a_failure_with_all_their_words(world, model):
    ended = await run(world, model, broken(OutputUnavailable("filtered")), WORDS["JSON"])
    assert (ended.error.code, ended.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
    assert "0: filtered" in ended.error.message
    assert "1: application/json came where text-to-video was ordered" in ended.error.message
    if model == "shop":
        assert ended.order is None


async def test_a_result_that_turned_out_to_be_words_is_asked_for_once_more_by_a_retry(world):
    async with patient(world, result_of(WORDS["a page"])) as (studio, _):
        failed = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
        ended = await world.ended(await retry(world.services, failed.id), ENDS_WITHIN_S)
    assert (failed.error.code, ended.status) == (FailureCode.OUTPUT_UNAVAILABLE, TaskStatus.SUCCEEDED)
    assert studio.submits == 1


@pytest.mark.parametrize(
    "error", [AnswerLost("cut off"), ProviderUnavailable("503"), StorageUnavailable("the disk"), KeyError("x")]
)
async def test_a_stream_that_is_read_once_and_broke_off_is_missing_beside_a_good_one(world, error):
    ended = await run(world, "shop", once(PNG), broken(error))
    assert [one.content.media_type for one in ended.outputs] == ["image/png"]
    assert [(one.code, one.index) for one in ended.warnings] == [(WarningCode.OUTPUT_MISSING, 1)]


@pytest.mark.parametrize("model", SHAPES)
@pytest.mark.parametrize("by", ["us", "the client"])
async def test_what_is_too_large_is_read_once_however_often_its_neighbour_is(world, model, by):
    world.services = replace(world.services, output_limit_bytes=100)
    reads = []

    class Large:
        async def __aiter__(self):
            reads.append(1)
            yield bytes(101 if by == "us" else 10)
            raise AnswerTooLarge("larger than it may be")

    class Slow:
        times = 1

        async def __aiter__(self):
            yield PNG
            if Slow.times:
                Slow.times -= 1
                raise AnswerLost("cut off")

    def result():
        return Result((Output(Large()), Output(Slow())))

    async with patient(world, {"submit": Script(result, 1), "collect": Script(result, 9)}):
        ended = await world.ended(await world.submit(f"art/{model}", kind=KIND), ENDS_WITHIN_S)
    assert [one.content.size for one in ended.outputs] == [len(PNG)]
    assert ([one.index for one in ended.warnings], reads) == ([0], [1])


async def test_what_came_whole_is_not_read_again_and_is_kept_when_the_rest_never_comes(world):
    """The vendor is asked for fresh addresses all the while."""
    reads = []

    async def counted(content):
        reads.append(content)
        yield content

    def result():
        return Result((Output(counted(PNG)), Output(broken(AnswerLost("cut off")))))

    async with odd(world, {"collect": Script(result, 10**6)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert [one.content.media_type for one in ended.outputs] == ["image/png"]
    assert [one.index for one in ended.warnings] == [1]
    assert studio.asked["collect"] > 2
    assert reads == [PNG]
