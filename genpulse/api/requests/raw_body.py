"""A file as the whole body of a request, as it arrives."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from genpulse.api.errors import UnsupportedContentType
from genpulse.domain.errors import UploadIncomplete

_EXPECTED = "the bytes of the file themselves as the body"


async def file_in(request: Request) -> AsyncIterator[bytes]:
    """The bytes in chunks; nothing is held back. What its Content-Type says does not matter, unless it is a form.

    Raises `UnsupportedContentType` for a form or packed bytes, and `UploadIncomplete` for a part of a file, for
    nothing at all, and when the body ends too early.
    """
    _check_head(request)
    is_empty = True
    try:
        async for chunk in request.stream():
            is_empty = is_empty and not chunk
            yield chunk
    except ClientDisconnect:
        raise UploadIncomplete("The client went away before the upload was complete.") from None
    if is_empty:
        raise UploadIncomplete(f"The body is empty; this call takes {_EXPECTED}.")


def _check_head(request: Request) -> None:
    content_type = request.headers.get("content-type", "")
    if content_type.lower().lstrip().startswith("multipart/"):
        raise UnsupportedContentType(content_type, f"{_EXPECTED}, and no form")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise UnsupportedContentType(
            f"{content_type} encoded as {encoding}", f"{_EXPECTED}, which are not encoded"
        )
    packed = request.headers.get("transfer-encoding", "chunked")
    if packed.strip().lower() != "chunked":
        raise UnsupportedContentType(
            f"{content_type} sent as {packed}", f"{_EXPECTED}, which nothing has packed on the way"
        )
    if "content-range" in request.headers:
        raise UploadIncomplete("The request has a Content-Range; this call takes the whole file at once.")
