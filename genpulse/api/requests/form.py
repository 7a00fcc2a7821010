"""A whole multipart form: its texts, and its files on the local disk, as they arrive."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from genpulse.api.errors import InvalidMultipart, UnsupportedContentType
from genpulse.domain.asset import Spooled
from genpulse.domain.errors import BadInput, ContentTooLarge, Problem, UploadIncomplete
from genpulse.ports import Storage

MEDIA_TYPE = "multipart/form-data"
MOST_FIELDS = 200
MOST_FILES = 20
_SHOWN = 100
"""Characters of a field's name that are shown."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, under the name of its field."""

    name: str
    spooled: Spooled


@dataclass(frozen=True, slots=True)
class Form:
    """The texts and the files of a form, each with the name of its field, in their order."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[FormFile, ...]


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What a form may have: bytes of texts all together, bytes of each file, and the fields that take files."""

    text_bytes: int
    file_bytes: int
    files: frozenset[str]


def is_form(request: Request) -> bool:
    """Whether the body says that it is such a form."""
    content_type = request.headers.get("content-type") or ""
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


@asynccontextmanager
async def form_in(request: Request, storage: Storage, limits: FormLimits) -> AsyncIterator[Form]:
    """The form of a request. No file is held in memory; they are gone from the disk after the body of the `with`.

    Raises `UnsupportedContentType`, `InvalidMultipart`, `BadInput` for a file in a field that takes none,
    `ContentTooLarge`, `UploadIncomplete` when the body ends too early, `StorageUnavailable`.
    """
    async with AsyncExitStack() as spooling:
        yield await _Reading(storage, limits, spooling).form(_events(request))


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    is_file: bool


class _End:
    """The end of a part."""


_Event: TypeAlias = _Part | bytes | _End


class _Reading:
    """Reads a form part by part."""

    def __init__(self, storage: Storage, limits: FormLimits, spooling: AsyncExitStack) -> None:
        self._storage = storage
        self._limits = limits
        self._spooling = spooling
        self._left_bytes = limits.text_bytes

    async def form(self, events: AsyncGenerator[_Event, None]) -> Form:
        fields: list[tuple[str, str]] = []
        files: list[FormFile] = []
        async for event in events:
            if not isinstance(event, _Part):
                continue
            if event.is_file:
                files.append(await self._file(event.name, events))
            else:
                fields.append((event.name, await self._text(event.name, events)))
            if len(fields) > MOST_FIELDS or len(files) > MOST_FILES:
                raise BadInput(f"The form has more than {MOST_FIELDS} fields or {MOST_FILES} files.")
        return Form(tuple(fields), tuple(files))

    async def _file(self, name: str, events: AsyncGenerator[_Event, None]) -> FormFile:
        if name not in self._limits.files:
            taken = " and ".join(sorted(self._limits.files)) or "none"
            problem = Problem(f"/{name[:_SHOWN]}", f"it takes no file; those that do: {taken}")
            raise BadInput(f"The form has a file in the field {name[:_SHOWN]!r}, which takes none.", [problem])
        spooling = self._storage.spool(_data(events), limit_bytes=self._limits.file_bytes)
        spooled = await self._spooling.enter_async_context(spooling)
        if not spooled.size:
            raise BadInput("The form has an empty file.", [Problem(f"/{name[:_SHOWN]}", "the file is empty")])
        return FormFile(name, spooled)

    async def _text(self, name: str, events: AsyncGenerator[_Event, None]) -> str:
        chunks: list[bytes] = []
        async for chunk in _data(events):
            self._left_bytes -= len(chunk)
            if self._left_bytes < 0:
                raise ContentTooLarge(self._limits.text_bytes)
            chunks.append(chunk)
        try:
            return b"".join(chunks).decode()
        except UnicodeDecodeError:
            problem = Problem(f"/{name[:_SHOWN]}", "the text is not UTF-8")
            raise BadInput("The form has a text that is not UTF-8.", [problem]) from None


async def _data(events: AsyncGenerator[_Event, None]) -> AsyncIterator[bytes]:
    """What belongs to the part that has begun."""
    while not isinstance(event := await anext(events), _End):
        if isinstance(event, bytes):
            yield event


async def _events(request: Request) -> AsyncGenerator[_Event, None]:
    parser = _Parser(_boundary(request))
    try:
        async for received in request.stream():
            for event in parser.feed(received):
                yield event
    except ClientDisconnect:
        raise UploadIncomplete("The client went away before the form was complete.") from None
    if not parser.has_ended:
        raise UploadIncomplete("The form ends before its closing boundary; nothing was kept.")


def _boundary(request: Request) -> bytes:
    content_type = request.headers.get("content-type")
    media_type, options = parse_options_header(content_type)
    if media_type != MEDIA_TYPE.encode():
        raise UnsupportedContentType(content_type, MEDIA_TYPE)
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
                    "on_headers_finished": self._name_part,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error
        self._name = b""
        self._value = b""
        self._disposition = b""
        self._events: list[_Event] = []
        self.has_ended = False

    def feed(self, received: bytes) -> list[_Event]:
        """Read the next bytes of the form."""
        self._events = []
        try:
            self._parser.write(received)
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error
        return self._events

    def _begin(self) -> None:
        self._disposition = b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _name_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        self._events.append(_Part(name, is_file=b"filename" in options))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _end_part(self) -> None:
        self._events.append(_End())

    def _end(self) -> None:
        self.has_ended = True
