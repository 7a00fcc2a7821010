"""A store of the kind of S3 that answers in odd ways."""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.connections import all_closed


class OddStore:
    """Keeps objects in memory; `refusals` are answered in place of what is asked, by its method."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.locked: set[str] = set()
        self.lists = True
        self.loses_completion = False
        self.loses_part = False
        self.is_complete = False
        self.bytes_per_s = 0.0
        self.knows_checksums = True
        self.checksums: dict[str, str] = {}
        self.damages: Callable[[bytes], bytes] = lambda body: body
        self.url = ""

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["OddStore"]:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        port = runner.addresses[0][1]
        self.url = f"{'https' if tls else 'http'}://localhost:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()
            if tls is not None:
                await all_closed(port)

    async def _answer(self, request):
        body = await self._read(request)
        if refusal := self.refusals.get(request.method):
            status, code = refusal
            return _refused(status, code, f"said {code}")
        return getattr(self, f"_{request.method.lower()}")(request, request.path, body)

    async def _read(self, request):
        chunks = []
        async for chunk in request.content.iter_chunked(1 << 14):
            chunks.append(chunk)
            if self.bytes_per_s:
                await asyncio.sleep(len(chunk) / self.bytes_per_s)
        return b"".join(chunks)

    def _head(self, _request, path, _body):
        if path not in self.objects:
            return web.Response(status=404 if self.lists else 403)
        return web.Response(headers={"Content-Length": str(len(self.objects[path])), "ETag": '"x"', **MODIFIED})

    def _get(self, request, path, _body):
        if path not in self.objects:
            return web.Response(status=404 if self.lists else 403)
        content, asked = self.objects[path], request.http_range
        start, end, _ = asked.indices(len(content))
        if start >= end:
            return web.Response(status=416, text="<Error><Code>InvalidRange</Code></Error>")
        headers = {"ETag": '"x"', "Content-Range": f"bytes {start}-{end - 1}/{len(content)}", **MODIFIED}
        return web.Response(status=206, body=content[start:end], headers=headers)

    def _put(self, request, path, body):
        sums = {name: value for name, value in request.headers.items() if name.startswith("x-amz-checksum-")}
        self.checksums.update(sums)
        if sums and not self.knows_checksums:
            return _refused(501, "NotImplemented", "A header you provided implies functionality that is not")
        kept = self.damages(body) if path != "/bucket/probe" else body
        if sums.get("x-amz-checksum-sha256", "") not in {"", _sha256(kept)}:
            return _refused(400, "BadDigest", "The SHA256 you specified did not match")
        if "partNumber" in request.query:
            self.parts[request.query["partNumber"]] = kept
        else:
            self.objects[path] = kept
        return web.Response(headers={"ETag": '"x"', **sums})

    def _post(self, request, path, _body):
        if "delete" in request.query:
            return web.Response(status=501, text="<Error><Code>NotImplemented</Code><Message>no</Message></Error>")
        if "uploads" in request.query:
            self.is_complete = False
            self.parts.clear()
            return web.Response(text=UPLOAD, content_type="application/xml")
        numbers = sorted(self.parts, key=int)[1 if self.loses_part else 0 :]
        self.objects[path] = b"".join(self.parts[number] for number in numbers)
        self.is_complete = True
        if self.loses_completion:
            request.transport.abort()
        return web.Response(text=COMPLETED, content_type="application/xml")

    def _delete(self, request, path, _body):
        if "uploadId" in request.query:
            status = 404 if self.is_complete else 204
            return web.Response(
                status=status, text="" if status == 204 else "<Error><Code>NoSuchUpload</Code></Error>"
            )
        if path in self.locked:
            text = "<Error><Code>AccessDenied</Code><Message>object is WORM protected</Message></Error>"
            return web.Response(status=403, text=text, content_type="application/xml")
        self.objects.pop(path, None)
        return web.Response(status=204)


def _refused(status, code, words):
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")


def _sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


MODIFIED = {"Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"}
UPLOAD = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
COMPLETED = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
