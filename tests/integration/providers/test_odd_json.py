"""Whatever a vendor answers in whichever phase, nothing but the declared errors comes out of an adapter.

Answers are drawn at random: any JSON, a good answer in which something was replaced or left out, and no JSON.
"""

import asyncio
import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.provider import Provider
from genpulse.provider.http import AnswerLost
from tests.drawn import examples
from tests.integration.providers.scripted import Asked, Scripted, Told
from tests.integration.providers.subjects import B64, PROMPT, SUBJECTS, Subject

FEW = settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
CASES = [pytest.param(one, phase, id=f"{one.name} {phase}") for one in SUBJECTS for phase in one.phases]

NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), math.nan, math.inf, 0, True])
WORDS = (
    "error",
    "COMPLETED",
    "succeeded",
    "failed",
    "https://127.0.0.1/x",
    "data:image/png;base64,%",
    "\ud83d",
    "\0",
)
TEXTS = st.text(max_size=12) | st.sampled_from(
    [*WORDS, "..", "http://[", "data:", "execution_error", "content_policy_violation", B64]
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
DEEP = (b"[" * 100_000, b'{"a":' * 100_000)
NO_JSON = st.binary(max_size=40) | st.sampled_from(
    [*DEEP, b"", b"<html>502</html>", b'{"status": "COMP', b"\xff\xfe{\x00", b"null", b"9" * 5000]
)
WELL = (200, 200, 200, 200, 200, 201, 202, 204)
STATUSES = st.sampled_from([*WELL, 302, *range(400, 431), 500, 502, 503, 504, 520, 529])
NAMES = ("retry-after", "retry-after-ms", "x-fal-error-type", "content-type", "openai-poll-after-ms", "location")
VALUES = ("", "1", "86400", "9" * 400, "-1", "nan", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "internal_error")
HEADERS = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from([*VALUES, "text/html", "http://127.0.0.1:1/"]), max_size=2
)


def places(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    entries = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for name, inner in entries:
        yield from places(inner, (*place, name))


@st.composite
def altered(draw: st.DrawFn, good: Any) -> Any:
    """The document with one to three of its parts replaced or left out."""
    document = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([place for place in places(document) if place] or [("x",)]))
        holder = document
        for name in above:
            holder = holder[name]
        if draw(st.booleans()) and isinstance(holder, dict):
            holder.pop(last, None)
        elif isinstance(holder, dict | list):
            holder[last] = draw(JSON)
    return document


def answers(goods: tuple[Any, ...]) -> st.SearchStrategy[Told]:
    documents = st.sampled_from(goods).flatmap(altered)
    return st.builds(Told, documents | documents | JSON | NO_JSON, STATUSES, HEADERS)


class Stage:
    """One server and one loop for all that is drawn, and the engines once each."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._scripted = Scripted()
        self._running = self._scripted.running()
        self._providers: dict[str, Provider] = {}
        self._runner.run(self._running.__aenter__())

    def happened(self, subject: Subject, phase: str, told: Told) -> tuple[Any, list[Asked]]:
        """What a phase gives or raises, and what was asked. Whatever is not declared passes through."""
        self._scripted.asked.clear()
        self._scripted.answer = lambda asked: _answer(asked, told)
        return self._runner.run(self._ask(subject, phase)), list(self._scripted.asked)

    async def _ask(self, subject: Subject, phase: str) -> Any:
        plug_in = self._providers.setdefault(subject.name, subject.build(self._scripted.settings()))
        return await subject.ask(plug_in, phase, self._scripted.base_url)

    def close(self) -> None:
        for plug_in in self._providers.values():
            self._runner.run(plug_in.close())
        self._runner.run(self._running.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def _answer(asked: Asked, told: Told) -> Told:
    """A ComfyUI is asked for its queue before it is ordered from; that answer is well."""
    is_first = asked.path == "/queue" and asked.method == "GET" and isinstance(told.body, bytes)
    return Told({"queue_running": [], "queue_pending": []}) if is_first else told


@pytest.mark.parametrize(("subject", "phase"), CASES)
@FEW
@given(data=st.data())
def test_nothing_but_what_is_declared_comes_out(stage, subject, phase, data):
    told = data.draw(answers(subject.phases[phase]))
    found, asked = stage.happened(subject, phase, told)
    subject.check(phase, found, told, asked)


@FEW
@given(odd=JSON, nodes=st.dictionaries(st.text(max_size=3), JSON, max_size=3), messages=JSON)
def test_a_good_picture_of_comfyui_is_kept_whatever_is_beside_it(stage, odd, nodes, messages):
    (subject,) = (one for one in SUBJECTS if one.name == "comfyui")
    node = {"images": [{"filename": "good.png"}, odd], "text": odd, "more": odd}
    entry = {"outputs": {**nodes, "good": node}, "status": {"status_str": "success", "messages": messages}}
    found, _ = stage.happened(subject, "collect", Told({PROMPT: entry}))
    assert not isinstance(found, Exception), found
    progress, _ = stage.happened(subject, "poll", Told({PROMPT: entry}))
    assert progress.done


@FEW
@given(odd=st.lists(JSON, max_size=3), beside=st.dictionaries(TEXTS, JSON, max_size=3))
def test_a_good_picture_is_kept_whatever_is_beside_it(stage, odd, beside):
    (subject,) = (one for one in SUBJECTS if one.name == "images")
    found, _ = stage.happened(subject, "generate", Told({**beside, "data": [*odd, {"b64_json": B64}]}))
    assert not isinstance(found, Exception), found
    assert found.outputs[-1].content[:4] == b"\x89PNG"
    assert len(found.outputs) == len(odd) + 1


@FEW
@given(odd=st.lists(JSON, max_size=3), beside=st.dictionaries(TEXTS, JSON, max_size=3))
@pytest.mark.parametrize("name", ["fal", "replicate"])
def test_a_good_file_is_kept_whatever_is_beside_it(stage, name, odd, beside):
    (subject,) = (one for one in SUBJECTS if one.name == name)
    result = {**beside, "images": [*odd, {"url": f"data:image/png;base64,{B64}"}]}
    told = Told(result if name == "fal" else {"status": "succeeded", "output": result})
    found, _ = stage.happened(subject, "collect", told)
    if isinstance(found, AnswerLost):
        assert beside.get("status"), "only the status of a request is no result"
        return
    assert not isinstance(found, Exception), found
    good = [output for output in found.outputs if isinstance(output.content, bytes)]
    assert b"\x89PNG" in {output.content[:4] for output in good}
