"""The W3C trace context of a request or a task (https://www.w3.org/TR/trace-context/)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_INVALID_VERSION = "ff"
_VERSION = "00"
_SAMPLED = 0x01
_KEPT_FLAGS = 0x03
"""Sampled, and that the trace id is random; what other bits mean is not known."""

_KEY = r"[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_MEMBER = re.compile(rf"(?:{_KEY})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_MOST_MEMBERS = 32
_LONGEST_STATE = 512


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Which span of which trace something belongs to: ids as lower-case hexadecimal, and what vendors of tracing
    add in `state`, empty without.
    """

    trace_id: str
    span_id: str
    flags: int = _SAMPLED
    state: str = ""

    @property
    def is_sampled(self) -> bool:
        """Whether its spans are kept by whoever began the trace."""
        return bool(self.flags & _SAMPLED)

    @property
    def parent(self) -> str:
        """The value of the header `traceparent`."""
        return f"{_VERSION}-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    @property
    def headers(self) -> dict[str, str]:
        """Both headers, the second one where there is something to say in it."""
        return {"traceparent": self.parent} | ({"tracestate": self.state} if self.state else {})


def parse_trace_context(parents: Sequence[str], states: Sequence[str] = ()) -> TraceContext | None:
    """The context in these values of `traceparent` and `tracestate`; None where there is none that holds.

    A state that does not hold is left out, and the rest stays.
    """
    if len(parents) != 1 or (found := _PARENT.fullmatch(parents[0].strip(" \t"))) is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == _INVALID_VERSION or (version == _VERSION and more):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id, span_id, int(flags, 16) & _KEPT_FLAGS, _state(states))


def _state(values: Sequence[str]) -> str:
    members = [member for value in values for part in value.split(",") if (member := part.strip(" \t"))]
    names = {member.partition("=")[0] for member in members}
    holds = (
        len(members) <= _MOST_MEMBERS
        and len(names) == len(members)
        and all(_MEMBER.fullmatch(member) for member in members)
    )
    state = ",".join(members)
    return state if holds and len(state) <= _LONGEST_STATE else ""


@dataclass(frozen=True, slots=True)
class TaskTrace:
    """Which span a task was submitted in, and when its last attempt ended, None where none has."""

    context: TraceContext
    last_ended_at: datetime | None = None
