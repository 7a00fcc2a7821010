"""A file out of a form, as it arrives, and what the form says of it."""

import hashlib
from collections.abc import AsyncIterator

from pydantic import TypeAdapter, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from genpulse.api.errors import InvalidMultipart, UnsupportedContentType
from genpulse.dialects.replicate.bracketed_fields import is_bracketed, object_of
from genpulse.domain.errors import BadInput, Problem, UploadIncomplete
from genpulse.domain.json.value import JsonObject
from genpulse.domain.text.storable import storable_line

CONTENT = "content"
METADATA = "metadata"
MOST_SAID_BYTES = 32 * 1024
"""What all fields beside the file may have together."""
_SAID = frozenset({"filename", METADATA, "type"})
_UNKNOWN = "application/octet-stream"
_LONGEST_NAME = 255
_OBJECT: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])


class FileForm:
    """A form with the file in `content`, and beside it `metadata`, `filename` and `type`. Others are left alone.

    `chunks` gives the bytes; what is said of them is known when these are at their end.
    """

    def __init__(self, request: Request) -> None:
        """Raises `UnsupportedContentType`, `InvalidMultipart`."""
        self._request = request
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._name = self._value = self._disposition = self._type = b""
        self._field = ""
        self._parts: list[tuple[str, bytearray]] = []
        self._file_name = self._file_type = ""
        self._chunks: list[bytes] = []
        self._has_file = self._ended = False
        self._said_bytes = 0
        self._parser = self._parser_of(request.headers.get("content-type"))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file as they come. Raises `InvalidMultipart`, `BadInput`, `UploadIncomplete`."""
        try:
            async for received in self._request.stream():
                self._chunks = []
                self._feed(received)
                for chunk in self._chunks:
                    self._md5.update(chunk)
                    yield chunk
        except ClientDisconnect:
            raise UploadIncomplete("The client went away before the upload was complete.") from None
        self._check_complete()
        self.metadata  # noqa: B018 - what is wrong with it is told before anything is kept

    @property
    def md5(self) -> str:
        """Of the bytes."""
        return self._md5.hexdigest()

    @property
    def name(self) -> str:
        """What the file is called, in one line."""
        said = self._text("filename") or self._file_name or "file"
        return storable_line(said, _LONGEST_NAME) or "file"

    @property
    def media_type(self) -> str:
        """What the caller says that it is."""
        return storable_line(self._text("type") or self._file_type, 100).lower() or _UNKNOWN

    @property
    def metadata(self) -> JsonObject:
        """The caller's own words, a JSON object. Raises `BadInput`."""
        text, parts = self._text(METADATA), [part for part in self._parts if is_bracketed(part[0], METADATA)]
        if "\\u0000" in text or any("\0" in name or b"\0" in value for name, value in parts):
            raise _misfit(METADATA, "it holds U+0000")
        try:
            if text or not parts:
                return _OBJECT.validate_json(text or "{}")  # type: ignore[return-value]
            return object_of((name, _decoded(value)) for name, value in parts)
        except ValidationError:
            raise _misfit(METADATA, "it is no JSON object") from None
        except ValueError as error:
            raise _misfit(METADATA, str(error)) from None

    def _text(self, field: str) -> str:
        return next((_decoded(value) for name, value in self._parts if name == field), "")

    def _parser_of(self, content_type: str | None) -> MultipartParser:
        media_type, options = parse_options_header(content_type)
        if media_type != b"multipart/form-data":
            raise UnsupportedContentType(content_type, f"multipart/form-data with a field `{CONTENT}`")
        if not options.get(b"boundary"):
            raise InvalidMultipart("The Content-Type multipart/form-data has no boundary.")
        try:
            return MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_name,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._add_data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error

    def _feed(self, received: bytes) -> None:
        try:
            self._parser.write(received)
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error

    def _check_complete(self) -> None:
        if not self._ended:
            raise UploadIncomplete("The form ends before its closing boundary; nothing was kept.")
        if not self._has_file:
            missing = Problem(f"/{CONTENT}", "the field is missing")
            raise BadInput(f"The form has no field {CONTENT!r} with a file.", [missing])

    def _begin_part(self) -> None:
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

    def _begin_content(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if self._field != CONTENT:
            if self._field in _SAID or is_bracketed(self._field, METADATA):
                self._parts.append((self._field, bytearray()))
                self._said_bytes += len(self._field)
            else:
                self._field = ""
            return
        if self._has_file:
            again = Problem(f"/{CONTENT}", "the field is there more than once")
            raise BadInput("The form has more than one file; upload them one by one.", [again])
        self._has_file = True
        self._file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._file_type = self._type.decode("latin-1")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._field == CONTENT:
            self._chunks.append(data[start:end])
        elif self._field:
            self._parts[-1][1].extend(data[start:end])
            self._said_bytes += end - start
            if self._said_bytes > MOST_SAID_BYTES:
                raise _misfit(self._field.partition("[")[0], f"it is longer than {MOST_SAID_BYTES:,} bytes")

    def _end(self) -> None:
        self._ended = True


def _decoded(value: bytearray) -> str:
    return value.decode("utf-8", "replace").strip()


def _misfit(field: str, why: str) -> BadInput:
    return BadInput(f"The field {field} does not fit: {why}.", [Problem(f"/{field}", why)])
