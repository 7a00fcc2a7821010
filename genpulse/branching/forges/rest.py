"""Requests to a forge over HTTP."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genpulse.branching.forges.errors import ForgeError

_SECONDS = 30
_MOVED = {301, 302, 307, 308}
_MOVES = 3


@dataclass(frozen=True, slots=True)
class RestResponse:
    """A status, the JSON document (None where there is none), and the new address of something that moved."""

    status: int
    document: Any
    location: str = ""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect alone: by itself urllib would send the token to whatever host is named."""

    def redirect_request(self, *_: object) -> None:
        return None


def send_request(url: str, token: str, document: Mapping[str, str] | None = None) -> RestResponse:
    """GET, or POST with a document. Follows a move on the same host alone. Raises `ForgeError`: no answer."""
    _demand_http(url)
    response = _once(url, token, document)
    for _ in range(_MOVES):
        target = urllib.parse.urljoin(url, response.location)
        if response.status not in _MOVED or not response.location or _origin(target) != _origin(url):
            break
        response = _once(target, token, document)
    return response


def _demand_http(url: str) -> None:
    scheme, host = _origin(url)
    if scheme not in {"http", "https"} or not host:
        note = "Set GITHUB_API_URL to https://…, or unset it."
        raise ForgeError(f"{url} is no address to ask.", "unset GITHUB_API_URL", note=note)


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


def _once(url: str, token: str, document: Mapping[str, str] | None) -> RestResponse:
    if not (token.isascii() and token.isprintable()):
        raise ForgeError("the token holds signs that no token has.", note="Copy it anew into GITHUB_TOKEN.")
    body = None if document is None else json.dumps(document).encode()
    headers = {
        **({"Authorization": f"Bearer {token}"} if token else {}),
        "Accept": "application/vnd.github+json, application/json;q=0.9",
        "X-GitHub-Api-Version": "2022-11-28",
        "Content-Type": "application/json",
        "User-Agent": "genpulse-flow",
    }
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - http or https, by _demand_http
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=_SECONDS) as response:
            return RestResponse(response.status, _document(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return RestResponse(error.code, _document(error.read()), error.headers.get("Location", ""))
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error) or type(error).__name__
        host = urllib.parse.urlsplit(url).netloc
        finding = f"{host} does not answer: {reason}"
        raise ForgeError(finding, note="Try again, or open it by hand.") from error


def _document(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
