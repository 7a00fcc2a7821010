"""The parts of a multipart form, as they arrive."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from genpulse.api.errors import InvalidMultipart, UnsupportedContentType
from genpulse.domain.errors import UploadIncomplete

MEDIA_TYPE = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class FormPart:
    """The beginning of a part, with what its headers say; `file_name` is None where it is no file."""

    name: str
    file_name: str | None
    media_type: str


class PartEnd:
    """The end of a part."""


FormEvent: TypeAlias = FormPart | bytes | PartEnd
"""A part begins, some bytes of it, a part ends."""


def form_parts(request: Request, expected: str = MEDIA_TYPE) -> AsyncGenerator[FormEvent, None]:
    """What the form of a request holds, in its order; `expected` tells a person what the call takes.

    Raises `UnsupportedContentType` and `InvalidMultipart`, at once and later, and `UploadIncomplete` when the body
    ends too early.
    """
    return _events(request, _Parser(_boundary(request.headers.get("content-type"), expected)))


async def _events(request: Request, parser: "_Parser") -> AsyncGenerator[FormEvent, None]:
    try:
        async for received in request.stream():
            for event in parser.feed(received):
                yield event
    except ClientDisconnect:
        raise UploadIncomplete("The client went away before the upload was complete.") from None
    if not parser.has_ended:
        raise UploadIncomplete("The form ends before its closing boundary; nothing was kept.")


def _boundary(content_type: str | None, expected: str) -> bytes:
    media_type, options = parse_options_header(content_type)
    if media_type != MEDIA_TYPE.encode():
        raise UnsupportedContentType(content_type, expected)
    if not options.get(b"boundary"):
        raise InvalidMultipart(f"The Content-Type {MEDIA_TYPE} has no boundary.")
    return options[b"boundary"]


class _Parser:
    """Follows a form and tells what is in it. `has_ended`: its closing boundary was there."""

    def __init__(self, boundary: bytes) -> None:
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._add_name,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._tell_part,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error
        self._name = self._value = self._disposition = self._type = b""
        self._events: list[FormEvent] = []
        self.has_ended = False

    def feed(self, received: bytes) -> list[FormEvent]:
        """Read the next bytes of the form."""
        self._events = []
        try:
            self._parser.write(received)
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error
        return self._events

    def _begin(self) -> None:
        self._disposition = self._type = b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        match self._name.lower():
            case b"content-disposition":
                self._disposition = self._value
            case b"content-type":
                self._type = self._value
        self._name = self._value = b""

    def _tell_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        file_name = options.get(b"filename")
        said = None if file_name is None else file_name.decode("utf-8", "replace")
        self._events.append(FormPart(name, said, self._type.decode("latin-1")))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _end_part(self) -> None:
        self._events.append(PartEnd())

    def _end(self) -> None:
        self.has_ended = True
