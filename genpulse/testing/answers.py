"""Odd answers, as they go over the wire."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from genpulse.testing.oddity import Body, OddAnswer

HUGE_BYTES = 2 << 20
"""So many blanks stand before an answer that is too large for the rig."""
_BEAT_S = 0.05
_PAGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Bad Gateway</body></html>"
_XML = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Expired</Message></Error>'
_FIXED: Mapping[Body, tuple[str, str]] = MappingProxyType(
    {
        Body.HTML: (_PAGE, "text/html"),
        Body.XML: (_XML, "application/xml"),
        Body.TEXT: ("upstream request timeout", "text/plain"),
        Body.EMPTY: ("", "text/plain"),
        Body.NULL: ("null", "application/json"),
        Body.LIST: ("[]", "application/json"),
        Body.OBJECT: ("{}", "application/json"),
    }
)
OWN = frozenset(
    {Body.OWN, Body.CUT, Body.SHORT, Body.FALSE_GZIP, Body.HEARTBEAT, Body.EVENTS, Body.HUGE, Body.HELD}
)
"""Bodies that are made of what the vendor would have said."""

Refusal = Callable[[int, str], web.Response]
"""A refusal of this status and with these words, in the vendor's own form."""


async def given(
    request: web.Request, answer: OddAnswer, own: web.StreamResponse | None, refusal: Refusal
) -> web.StreamResponse:
    """The odd answer; `own` is what the vendor would have said, None where it was not asked."""
    status = answer.status or (own.status if own is not None else 200)
    match answer.body:
        case Body.DROPPED:
            drop(request)
            return web.Response()
        case Body.WORDS | Body.SURROGATE:
            response = refusal(status, _words(answer))
        case Body.ELSEWHERE:
            response = web.Response(status=answer.status or 302, headers={"Location": "/elsewhere"})
        case Body.SHORT:
            return await cut_off(request, _bytes(own), answer.headers)
        case Body.HEARTBEAT:
            return await _late(request, status, _bytes(own))
        case body if body in _FIXED:
            text, media_type = _FIXED[body]
            response = web.Response(status=status, text=text, content_type=media_type)
        case body:
            response = _changed(body, status, own)
    response.headers.update(answer.headers)
    return response


def _words(answer: OddAnswer) -> str:
    return f"{answer.words} \ud83d \0" if answer.body is Body.SURROGATE else answer.words


def _changed(body: Body, status: int, own: web.StreamResponse | None) -> web.Response:
    content, media_type = _bytes(own), own.content_type if own is not None else "application/json"
    match body:
        case Body.CUT:
            content = content[: len(content) // 2]
        case Body.EVENTS:
            content, media_type = b"data: " + content + b"\n\ndata: [DONE]\n\n", "text/event-stream"
        case Body.HUGE:
            content = b" " * HUGE_BYTES + content
    headers = {"Content-Encoding": "gzip"} if body is Body.FALSE_GZIP else {}
    return web.Response(status=status, body=content, content_type=media_type, headers=headers)


def _bytes(own: web.StreamResponse | None) -> bytes:
    body = own.body if isinstance(own, web.Response) else None
    return body if isinstance(body, bytes) else b"{}"


async def _late(request: web.Request, status: int, content: bytes) -> web.StreamResponse:
    """Blanks, as gateways send them so that nobody hangs up, and then the answer."""
    response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(3):
        await response.write(b" \n")
        await asyncio.sleep(_BEAT_S)
    await response.write(content)
    await response.write_eof()
    return response


async def cut_off(
    request: web.Request, content: bytes, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Half of the content; then the connection breaks off."""
    response = web.StreamResponse(headers={**(headers or {}), "Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    drop(request)
    return response


def drop(request: web.Request) -> None:
    """Break the connection off without an answer."""
    if request.transport is not None:
        request.transport.abort()


def cut_json(text: str) -> web.Response:
    """An answer whose JSON is cut off, as by a proxy that gave up."""
    return web.Response(text=text[: len(text) // 2], content_type="application/json")
