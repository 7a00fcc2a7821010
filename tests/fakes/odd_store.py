"""A store of the kind of S3 that answers in odd ways."""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from xml.sax.saxutils import escape

from aiohttp import web

from tests.connections import all_closed


class OddStore:
    """Keeps objects in memory; `refusals` are answered in place of what is asked, by its method."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.most_parts_at_once = self.parts_coming = 0
        self.aborted: list[str] = []
        self.part_came = asyncio.Event()
        self._numbers = count()
        self.refusals: dict[str, tuple[int, str]] = {}
        self.locked: set[str] = set()
        self.lists = True
        self.loses_completion = False
        self.loses_part = False
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

    def begin(self, path: str, at: datetime) -> str:
        """Begin an upload; returns its id."""
        upload_id = f"u{next(self._numbers)}"
        self.uploads[upload_id] = Upload(path, at)
        return upload_id

    async def _answer(self, request):
        self.parts_coming += (is_part := "partNumber" in request.query)
        self.most_parts_at_once = max(self.most_parts_at_once, self.parts_coming)
        try:
            body = await self._read(request)
        finally:
            self.parts_coming -= is_part
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
        if "uploads" in request.query:
            return self._listed(request)
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
            self.uploads[request.query["uploadId"]].parts[request.query["partNumber"]] = kept
            self.part_came.set()
        else:
            self.objects[path] = kept
        return web.Response(headers={"ETag": '"x"', **sums})

    def _post(self, request, path, _body):
        if "delete" in request.query:
            return web.Response(status=501, text="<Error><Code>NotImplemented</Code><Message>no</Message></Error>")
        if "uploads" in request.query:
            upload_id = self.begin(path, datetime.now(UTC))
            return web.Response(text=UPLOAD.format(upload_id), content_type="application/xml")
        parts = self.uploads.pop(request.query["uploadId"]).parts
        numbers = sorted(parts, key=int)[1 if self.loses_part else 0 :]
        self.objects[path] = b"".join(parts[number] for number in numbers)
        if self.loses_completion:
            request.transport.abort()
        return web.Response(text=COMPLETED, content_type="application/xml")

    def _listed(self, request):
        """A page of two: whoever asks goes on after its markers."""
        if not self.lists:
            return _refused(403, "AccessDenied", "Access Denied")
        after = (request.query.get("key-marker", ""), request.query.get("upload-id-marker", ""))
        begin = request.query.get("prefix", "")
        listed = sorted((upload.path.removeprefix("/bucket/"), each) for each, upload in self.uploads.items())
        left = [place for place in listed if place > after and place[0].startswith(begin)]
        uploads = "".join(
            LISTED.format(escape(key), each, f"{self.uploads[each].began_at:%Y-%m-%dT%H:%M:%S.000Z}")
            for key, each in left[:2]
        )
        more = len(left) > 2
        markers = f"<NextKeyMarker>{escape(left[1][0])}</NextKeyMarker>" if more else ""
        markers += f"<NextUploadIdMarker>{left[1][1]}</NextUploadIdMarker>" if more else ""
        page = f"<IsTruncated>{str(more).lower()}</IsTruncated>{markers}{uploads}"
        text = f'<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{page}'
        return web.Response(text=f"{text}</ListMultipartUploadsResult>", content_type="application/xml")

    def _delete(self, request, path, _body):
        if "uploadId" in request.query:
            if self.uploads.pop(request.query["uploadId"], None) is None:
                return web.Response(status=404, text="<Error><Code>NoSuchUpload</Code></Error>")
            self.aborted.append(path)
            return web.Response(status=204)
        if path in self.locked:
            text = "<Error><Code>AccessDenied</Code><Message>object is WORM protected</Message></Error>"
            return web.Response(status=403, text=text, content_type="application/xml")
        self.objects.pop(path, None)
        return web.Response(status=204)


@dataclass
class Upload:
    """One that is not complete: the path of its object, when it began, and its parts by number."""

    path: str
    began_at: datetime
    parts: dict[str, bytes] = field(default_factory=dict)


def _refused(status, code, words):
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")


def _sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


MODIFIED = {"Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"}
UPLOAD = "<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>"
LISTED = "<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>{}</Initiated></Upload>"
COMPLETED = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
