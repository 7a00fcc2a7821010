"""A parser of Server-Sent Events, as the HTML standard describes them, that does no input or output."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from genpulse_client.errors import UnexpectedAnswer

LONGEST_EVENT = 16 << 20
"""Characters of one event. What is longer is no event of GenPulse."""
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: `id` is the last one that the stream has named, `name` is `message` where it names none."""

    id: str
    name: str
    data: str


class EventParser:
    """Takes the bytes of a stream as they come, split anywhere, and gives the events that are complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text = ""
        self._last_id = ""
        self._name = ""
        self._data: list[str] = []
        self._length = 0

    def feed(self, chunk: bytes) -> tuple[ServerEvent, ...]:
        """The events that end in this chunk. Raises `UnexpectedAnswer` for one that never ends."""
        events = []
        for line in self._lines(self._decoder.decode(chunk)):
            self._length += len(line)
            event = self._line(line)
            if event is not None:
                events.append(event)
        if self._length + len(self._text) > LONGEST_EVENT:
            raise UnexpectedAnswer(f"An event of the stream is longer than {LONGEST_EVENT} characters.")
        return tuple(events)

    def _lines(self, text: str) -> Iterator[str]:
        """Whole lines. A carriage return at the end waits: a line feed may belong to it."""
        pieces = [self._text, text] if self._text else [text]
        text = "".join(pieces)
        start = 0
        for end in _LINE_END.finditer(text, max(0, len(self._text) - 1)):
            if end[0] == "\r" and end.end() == len(text):
                break
            yield text[start : end.start()]
            start = end.end()
        self._text = text[start:]

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatched()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._last_id = value
        return None

    def _dispatched(self) -> ServerEvent | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._length = "", [], 0
        return ServerEvent(self._last_id, name, "\n".join(data)) if data else None
