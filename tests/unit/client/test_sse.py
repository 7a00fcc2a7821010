"""The parser of Server-Sent Events, however its stream is split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.sse import LONGEST_EVENT, EventParser, ServerEvent

END = st.sampled_from(["\n", "\r\n", "\r"])
TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)
EVENT = st.tuples(TEXT.filter(bool), TEXT.filter(bool), st.lists(TEXT, min_size=1, max_size=3))
OTHER = st.one_of(TEXT.map(lambda text: f":{text}"), TEXT.map(lambda text: f"retry: {text}"), st.just("unknown"))


@st.composite
def streams(draw):
    """The bytes of a stream, and the events that are in it."""
    end, parts, events = draw(END), [draw(st.sampled_from(["", "\ufeff"]))], []
    for id_, name, lines in draw(st.lists(EVENT, max_size=4)):
        noise = [f"{line}{end}" for line in draw(st.lists(OTHER, max_size=2))]
        fields = [f"id: {id_}{end}", f"event: {name}{end}", *(f"data: {line}{end}" for line in lines)]
        parts += [*noise, *fields, end]
        events.append(ServerEvent(id_, name, "\n".join(lines)))
    return "".join(parts).encode(), tuple(events)


@given(streams(), st.data())
def test_a_stream_says_the_same_wherever_it_is_split(stream, data):
    content, events = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    parser = EventParser()
    found = [
        event
        for start, stop in zip([0, *cuts], [*cuts, len(content)], strict=True)
        for event in parser.feed(content[start:stop])
    ]
    # A carriage return at the very end may be half of a line's end: the next byte tells.
    found += parser.feed(b"\n" if content.endswith(b"\r") else b"")
    assert tuple(found) == events


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_read(chunks):
    parser = EventParser()
    for chunk in chunks:
        parser.feed(chunk)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("data\n\n", [ServerEvent("", "message", "")]),
        ("data:no blank\n\n", [ServerEvent("", "message", "no blank")]),
        ("event: x\n\n", []),
        ("id: 1\n\ndata: a\n\n", [ServerEvent("1", "message", "a")]),
        ("id: 1\0\ndata: a\n\n", [ServerEvent("", "message", "a")]),
        ("event: x\ndata: a\n\ndata: b\n\n", [ServerEvent("", "x", "a"), ServerEvent("", "message", "b")]),
        (":\n\n: keep-alive\n\n", []),
        ("data: a\n", []),
    ],
)
def test_the_standard_is_kept_to(stream, events):
    assert list(EventParser().feed(stream.encode())) == events


def test_an_event_has_a_greatest_length():
    parser, line = EventParser(), b"data: " + b"x" * (1 << 20) + b"\n"
    for _ in range(LONGEST_EVENT // len(line)):
        parser.feed(line)
    with pytest.raises(UnexpectedAnswer, match="longer than"):
        parser.feed(line)
