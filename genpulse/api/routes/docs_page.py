"""The page at `/docs`: the OpenAPI document to read and to try, with nothing from the internet.

Swagger UI comes in a wheel and is served from here. The page may load and ask this service alone.
"""

import hashlib
from functools import lru_cache
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.requests.byte_range import etag_matches
from genpulse.api.responses import encoded

_PAGE = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GenPulse: the HTTP API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> is what it shows.</noscript>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = b"""\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MEDIA_TYPES = {
    "favicon-32x32.png": "image/png",
    "start.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}

routes = encoded.router("service")


@routes.get("/docs", include_in_schema=False)
async def show_docs(request: Request) -> Response:
    """The page. Its addresses are relative, so that it works behind a prefix, too."""
    return _unless_known(request, _PAGE, "text/html")


@routes.get("/docs/{name}", include_in_schema=False)
async def fetch_docs_file(request: Request, name: str) -> Response:
    """What the page is made of."""
    if name not in _MEDIA_TYPES:
        raise HTTPException(404)
    return _unless_known(request, _content(name), _MEDIA_TYPES[name])


def _unless_known(request: Request, content: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": etag}
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, media_type)


@lru_cache
def _content(name: str) -> bytes:
    if name == "start.js":
        return _START
    return files("fastapi_swagger.resources").joinpath(name).read_bytes()
