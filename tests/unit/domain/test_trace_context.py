"""The W3C trace context: what holds, and what does not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genpulse.domain.trace_context import TraceContext, parse_trace_context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PLAIN = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("parent", "flags"),
    [
        (PLAIN, 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-03", 3),
        (f"00-{TRACE}-{SPAN}-fd", 1),
        (f" {PLAIN}\t", 1),
        (f"01-{TRACE}-{SPAN}-01", 1),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-says", 1),
    ],
)
def test_what_holds_is_told_as_the_version_that_we_know(parent, flags):
    found = parse_trace_context([parent])
    assert found == TraceContext(TRACE, SPAN, flags)
    assert found.parent == f"00-{TRACE}-{SPAN}-{flags:02x}"
    assert found.is_sampled is bool(flags & 1)
    assert found.headers == {"traceparent": found.parent}


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [""],
        ["00"],
        [PLAIN, PLAIN],
        [PLAIN.upper()],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-01-more"],
        [f"cc-{TRACE}-{SPAN}-01.more"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE[:-1]}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-1"],
        [f"00-{TRACE}-{SPAN}-01\n"],
        [f"00_{TRACE}_{SPAN}_01"],
        [f"00-{TRACE[:-1]}٣-{SPAN}-01"],
    ],
)
def test_what_does_not_hold_is_none(parents):
    assert parse_trace_context(parents, ["a=b"]) is None


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ([], ""),
        (["a=b"], "a=b"),
        (["a=b, c=d ,,"], "a=b,c=d"),
        (["a=b", "fw529a3039@dt=FfAPz0"], "a=b,fw529a3039@dt=FfAPz0"),
        (["a=b,a=c"], ""),
        (["A=b"], ""),
        (["a"], ""),
        (["a=b=c"], ""),
        (["a=ü"], ""),
        (["a=b\nx-secret: 1"], ""),
        ([",".join(f"k{number}=v" for number in range(32))], ",".join(f"k{number}=v" for number in range(32))),
        ([",".join(f"k{number}=v" for number in range(33))], ""),
        (["a=" + "b" * 256 + ",c=" + "d" * 251], "a=" + "b" * 256 + ",c=" + "d" * 251),
        (["a=" + "b" * 256 + ",c=" + "d" * 252], ""),
    ],
)
def test_a_state_that_does_not_hold_is_left_out(states, kept):
    found = parse_trace_context([PLAIN], states)
    assert found is not None
    assert found.state == kept
    assert found.headers.get("tracestate", "") == kept


HEX = st.text("0123456789abcdef-", max_size=60)


@given(
    st.lists(HEX | st.text(max_size=60) | st.just(PLAIN), max_size=2), st.lists(st.text(max_size=40), max_size=3)
)
@example([PLAIN], ["a=b"])
def test_whatever_comes_is_taken_or_left_and_what_is_taken_is_plain(parents, states):
    found = parse_trace_context(parents, states)
    if found is not None:
        told = found.headers
        assert parse_trace_context([told["traceparent"]], [told.get("tracestate", "")]) == found
        assert all(value.isascii() and value.isprintable() for value in told.values())
