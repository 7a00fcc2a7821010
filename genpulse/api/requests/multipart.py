"""One file out of a multipart form, as it arrives."""

from collections.abc import AsyncIterator

from starlette.requests import Request

from genpulse.api.requests.form_parts import MEDIA_TYPE, FormPart, form_parts
from genpulse.domain.errors import BadInput, Problem

FIELD = "file"
OVERHEAD_BYTES = 64 * 1024
"""What boundaries and part headers may add to the file itself."""
_SHOWN = 100
"""Characters of a field's name that are shown."""


async def file_in(request: Request) -> AsyncIterator[bytes]:
    """The bytes of the form's one field `file`, in chunks; nothing is held back.

    Raises `UnsupportedContentType`, `InvalidMultipart`, `BadInput` when there is another field or none, and
    `UploadIncomplete` when the body ends too early.
    """
    has_file = False
    async for event in form_parts(request, f"{MEDIA_TYPE} with a field `{FIELD}`"):
        if isinstance(event, bytes):
            yield event
        elif isinstance(event, FormPart):
            _check(event, has_file=has_file)
            has_file = True
    if not has_file:
        raise BadInput(
            f"The form has no field {FIELD!r} with a file.", [Problem(f"/{FIELD}", "the field is missing")]
        )


def _check(part: FormPart, *, has_file: bool) -> None:
    """Raises `BadInput` for any but the first part of the right name."""
    name = part.name[:_SHOWN]
    if name != FIELD:
        raise BadInput(
            f"The form has a field {name!r}; it takes one field {FIELD!r} and nothing else.",
            [Problem(f"/{name}", "the field is not known")],
        )
    if has_file:
        again = Problem(f"/{FIELD}", "the field is there more than once")
        raise BadInput("The form has more than one file; upload them one by one.", [again])
