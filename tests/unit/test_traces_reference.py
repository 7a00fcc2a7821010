"""The page of spans names every span and attribute that there is, and no other."""

import re
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind

from genpulse.adapters.otel import span_kinds
from genpulse.adapters.otel.span_kinds import MEANINGS, SPAN_KINDS, Attribute
from genpulse.config import load
from genpulse.wiring.observation import resource

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/traces.md").read_text(encoding="utf-8")
HOW_TO = (ROOT / "docs/how-to/trace-a-task.md").read_text(encoding="utf-8")
SPAN = re.compile(r"^\| `([^`]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
PAIR = re.compile(r"^\| `([\w.]+)` \| ([^|]+) \|$", re.MULTILINE)


def test_each_span_is_in_the_table():
    told = [(name, kind.upper(), *words) for name, kind, *words in SPAN.findall(PAGE)]
    known = [
        (one.name, one.kind, one.within, one.what, ", ".join(f"`{name}`" for name in one.attributes))
        for one in SPAN_KINDS
    ]
    assert told == known


def test_each_attribute_is_told(tmp_path):
    about = resource(load(tmp_path, {"ENV": "dev"}, require=()), "api")
    told = dict(PAIR.findall(PAGE))
    assert {name: told[name] for name in MEANINGS} == {str(name): words for name, words in MEANINGS.items()}
    assert told.keys() == set(MEANINGS) | about.keys()
    used = {name for one in SPAN_KINDS for name in one.attributes}
    assert used == set(Attribute) == set(MEANINGS)


@pytest.mark.parametrize("one", SPAN_KINDS, ids=lambda one: one.name)
def test_each_is_one_of_opentelemetrys(one):
    assert SpanKind[one.kind]
    assert [kind for kind in vars(span_kinds).values() if kind is one]


def test_the_picture_of_a_trace_shows_spans_that_there_are():
    picture = re.findall(r"^    +(\S.*?)  +▇", HOW_TO, re.MULTILINE)
    patterns = [re.sub(r"\\{\w+\\}", r"\\S+", re.escape(one.name)) for one in SPAN_KINDS]
    assert len(picture) > 8
    assert all(any(re.fullmatch(pattern, name) for pattern in patterns) for name in picture), picture
