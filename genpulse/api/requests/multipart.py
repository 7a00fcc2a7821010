"""One file out of a multipart form, as it arrives."""

from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from genpulse.api.errors import InvalidMultipart, UnsupportedContentType
from genpulse.domain.errors import BadInput, Problem, UploadIncomplete

FIELD = "file"
OVERHEAD_BYTES = 64 * 1024
"""What boundaries and part headers may add to the file itself."""


async def file_in(request: Request) -> AsyncIterator[bytes]:
    """The bytes of the form's one field `file`, in chunks; nothing is held back.

    Raises `UnsupportedContentType`, `InvalidMultipart`, `BadInput` when there is another field or none, and
    `UploadIncomplete` when the body ends too early.
    """
    form = _Form(_boundary(request))
    try:
        async for received in request.stream():
            for chunk in form.feed(received):
                yield chunk
    except ClientDisconnect:
        raise UploadIncomplete("The client went away before the upload was complete.") from None
    form.check_complete()


def _boundary(request: Request) -> bytes:
    content_type = request.headers.get("content-type")
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        raise UnsupportedContentType(content_type, "multipart/form-data with a field `file`")
    if not options.get(b"boundary"):
        raise InvalidMultipart("The Content-Type multipart/form-data has no boundary.")
    return options[b"boundary"]


class _Form:
    """Follows a multipart form and hands out what belongs to the file."""

    def __init__(self, boundary: bytes) -> None:
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_name,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._check_part,
                    "on_part_data": self._add_data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error
        self._name = b""
        self._value = b""
        self._disposition = b""
        self._chunks: list[bytes] = []
        self._has_file = False
        self._ended = False

    def feed(self, received: bytes) -> list[bytes]:
        """Read the next bytes of the form, and return the chunks of the file in them."""
        self._chunks = []
        try:
            self._parser.write(received)
        except FormParserError as error:
            raise InvalidMultipart(f"The form cannot be read: {error}") from error
        return self._chunks

    def check_complete(self) -> None:
        """Raises `BadInput` when there was no file, `UploadIncomplete` when the form did not end."""
        if not self._ended:
            raise UploadIncomplete("The form ends before its closing boundary; nothing was kept.")
        if not self._has_file:
            missing = Problem(f"/{FIELD}", "the field is missing")
            raise BadInput(f"The form has no field {FIELD!r} with a file.", [missing])

    def _begin_part(self) -> None:
        self._disposition = b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _check_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")[:100]
        if name != FIELD:
            raise BadInput(
                f"The form has a field {name!r}; it takes one field {FIELD!r} and nothing else.",
                [Problem(f"/{name}", "the field is not known")],
            )
        if self._has_file:
            again = Problem(f"/{FIELD}", "the field is there more than once")
            raise BadInput("The form has more than one file; upload them one by one.", [again])
        self._has_file = True

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._chunks.append(data[start:end])

    def _end(self) -> None:
        self._ended = True
