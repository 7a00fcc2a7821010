"""Odd answers of vendors and of the proxies before them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Phase(StrEnum):
    """The purpose of a request to a vendor. Its name, in lower case, may stand in `Subject.lacks`."""

    ORDER = "order"
    FIND = "look-up"
    POLL = "poll"
    COLLECT = "collect"
    CANCEL = "cancel"
    DOWNLOAD = "download"


class Body(StrEnum):
    """The body of an answer. OWN is what the vendor would have sent, WORDS a refusal in its own form."""

    OWN = "its own answer"
    WORDS = "a refusal in its own form"
    ERROR = "an error object"
    HTML = "a page of HTML"
    XML = "an XML document"
    TEXT = "a line of text"
    EMPTY = "nothing"
    NULL = "JSON null"
    LIST = "an empty JSON list"
    OBJECT = "an empty JSON object"
    CUT = "half of its own answer"
    SHORT = "half of its own answer, and then the connection breaks"
    DROPPED = "no answer: the connection is dropped"
    FALSE_GZIP = "its own answer, under a header that calls it gzip"
    HEARTBEAT = "blanks, a while later its own answer"
    EVENTS = "its own answer as server-sent events"
    HUGE = "its own answer behind more blanks than an answer may have bytes"
    SURROGATE = "a refusal whose words hold half of an emoji and U+0000"
    HELD = "nothing until the vendor is to behave otherwise, then its own answer"
    ELSEWHERE = "a redirect to another path of its own"


@dataclass(frozen=True, slots=True)
class OddAnswer:
    """One answer. `status` None is the vendor's own. An order whose job is not `taken` costs nothing.

    In `headers` stand `{own}`, `{files}` and `{inside}` for the fake's API, the host of its files, and an address
    that nobody may reach.
    """

    status: int | None = None
    body: Body = Body.OWN
    headers: Mapping[str, str] = field(default_factory=dict)
    words: str = "something is wrong here"
    taken: bool = True

    def with_places(self, places: Mapping[str, str]) -> "OddAnswer":
        """A copy whose headers name these places."""
        headers = dict(self.headers)
        for name, value in self.headers.items():
            for word, place in places.items():
                headers[name] = value = value.replace(word, place)
        return replace(self, headers=headers)

    def __str__(self) -> str:
        """Short, for messages."""
        headers = "".join(f", {name}: {value}" for name, value in self.headers.items())
        return f"{self.status or 'its own status'} with {self.body}{headers}{'' if self.taken else ', not taken'}"


Answer = OddAnswer
"""The name until version 0.3."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """An answer to requests of one phase: to the first `times` of them, or to each."""

    phase: Phase
    answer: OddAnswer
    times: int | None = None

    def __str__(self) -> str:
        """Short, for messages."""
        return f"{self.phase}{'' if self.times is None else f' ({self.times}x)'}: {self.answer}"
