"""The files that pages are made of: style sheet, script, icons."""

import hashlib
from functools import lru_cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.errors import UnknownCall
from genpulse.api.requests.byte_range import etag_matches

_MEDIA_TYPES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "favicon-dev.svg": "image/svg+xml",
    "favicon-test.svg": "image/svg+xml",
    "favicon-main.svg": "image/svg+xml",
}


async def fetch_static(request: Request) -> Response:
    """One of them; they hold nothing of anybody. Raises `UnknownCall`."""
    name = str(request.path_params["name"])
    if name not in _MEDIA_TYPES:
        raise UnknownCall(name[:100], "console")
    content, etag = _content(name)
    headers = {"Cache-Control": "no-cache", "ETag": etag}
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, _MEDIA_TYPES[name])


@lru_cache
def _content(name: str) -> tuple[bytes, str]:
    content = files("genpulse.console").joinpath("static", name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
