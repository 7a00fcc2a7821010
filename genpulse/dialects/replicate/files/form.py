"""A file out of a form, as it arrives, and what the form says of it."""

import hashlib
from collections.abc import AsyncIterator

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from genpulse.api.requests.form_parts import MEDIA_TYPE, FormPart, form_parts
from genpulse.dialects.replicate.files.bracketed_fields import is_bracketed, object_of
from genpulse.domain.errors import BadInput, Problem
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
        self._events = form_parts(request, f"{MEDIA_TYPE} with a field `{CONTENT}`")
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._field = ""
        self._parts: list[tuple[str, bytearray]] = []
        self._file_name = self._file_type = ""
        self._has_file = False
        self._said_bytes = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file as they come. Raises `InvalidMultipart`, `BadInput`, `UploadIncomplete`."""
        async for event in self._events:
            if isinstance(event, FormPart):
                self._begin(event)
            elif isinstance(event, bytes) and self._field == CONTENT:
                self._md5.update(event)
                yield event
            elif isinstance(event, bytes) and self._field:
                self._add_words(event)
        if not self._has_file:
            missing = Problem(f"/{CONTENT}", "the field is missing")
            raise BadInput(f"The form has no field {CONTENT!r} with a file.", [missing])
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

    def _begin(self, part: FormPart) -> None:
        self._field = part.name
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
        self._file_name, self._file_type = part.file_name or "", part.media_type

    def _add_words(self, data: bytes) -> None:
        self._parts[-1][1].extend(data)
        self._said_bytes += len(data)
        if self._said_bytes > MOST_SAID_BYTES:
            raise _misfit(self._field.partition("[")[0], f"it is longer than {MOST_SAID_BYTES:,} bytes")


def _decoded(value: bytearray) -> str:
    return value.decode("utf-8", "replace").strip()


def _misfit(field: str, why: str) -> BadInput:
    return BadInput(f"The field {field} does not fit: {why}.", [Problem(f"/{field}", why)])
