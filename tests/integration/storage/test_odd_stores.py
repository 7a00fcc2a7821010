"""Stores of the kind of S3 that answer in odd ways, and keys that may do little."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.errors import StorageFull, StorageUnavailable
from genpulse.ports import State

MIB = 1 << 20


class OddStore:
    """Keeps objects in memory; `refusals` are answered in place of what is asked, by its method."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.locked: set[str] = set()
        self.lists = True
        self.loses_completion = False
        self.bytes_per_s = 0.0
        self.url = ""

    @asynccontextmanager
    async def running(self):
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request):
        body = await self._read(request)
        if refusal := self.refusals.get(request.method):
            status, code = refusal
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said {code}</Message></Error>"
            return web.Response(status=status, text=text, content_type="application/xml")
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

    def _get(self, _request, path, _body):
        return web.Response(body=self.objects[path], headers={"ETag": '"x"', **MODIFIED})

    def _put(self, request, path, body):
        if "partNumber" in request.query:
            self.parts[request.query["partNumber"]] = body
        else:
            self.objects[path] = body
        return web.Response(headers={"ETag": '"x"'})

    def _post(self, request, path, _body):
        if "delete" in request.query:
            return web.Response(status=501, text="<Error><Code>NotImplemented</Code><Message>no</Message></Error>")
        if "uploads" in request.query:
            return web.Response(text=UPLOAD, content_type="application/xml")
        self.objects[path] = b"".join(self.parts[number] for number in sorted(self.parts, key=int))
        if self.loses_completion:
            request.transport.abort()
        return web.Response(text=COMPLETED, content_type="application/xml")

    def _delete(self, request, path, _body):
        if "uploadId" in request.query:
            return web.Response(status=404, text="<Error><Code>NoSuchUpload</Code></Error>")
        if path in self.locked:
            text = "<Error><Code>AccessDenied</Code><Message>object is WORM protected</Message></Error>"
            return web.Response(status=403, text=text, content_type="application/xml")
        self.objects.pop(path, None)
        return web.Response(status=204)


MODIFIED = {"Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"}
UPLOAD = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
COMPLETED = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"


@pytest.fixture
async def store():
    async with OddStore().running() as odd:
        yield odd


@pytest.fixture
async def storage(store, tmp_path):
    options = {"endpoint": store.url, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    storage = ObjectStorage("s3://bucket", spool_dir=tmp_path, options=options)
    yield storage
    await storage.close()


async def test_a_key_that_may_not_list_keeps_what_is_made(store, storage):
    store.lists = False
    for _ in range(2):
        kept = await storage.keep(b"made")
    assert store.objects[f"/bucket/{kept.key}"] == b"made"
    assert (await storage.probe()).state is State.OK


async def test_an_upload_whose_completion_was_not_answered_is_looked_up(store, storage):
    store.loses_completion = True
    content = bytes(7 * MIB)
    kept = await storage.keep(content)
    assert store.objects[f"/bucket/{kept.key}"] == content


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_slow_line_is_no_failure_as_long_as_bytes_move(store, storage):
    store.bytes_per_s = 150_000 / 4
    content = bytes(20 * MIB)
    kept = await storage.keep(content)
    assert store.objects[f"/bucket/{kept.key}"] == content


async def test_a_store_without_bulk_deletion_and_a_locked_key_stop_no_removal(store, storage, caplog):
    kept = [await storage.keep(f"old {number}".encode()) for number in range(3)]
    store.locked.add(f"/bucket/{kept[1].key}")
    with caplog.at_level(logging.WARNING):
        await storage.remove([content.key for content in kept])
    assert [f"/bucket/{content.key}" in store.objects for content in kept] == [False, True, False]
    assert "stay in the storage (AccessDenied: object is WORM protected)" in caplog.text
    with pytest.raises(StorageUnavailable, match="WORM"):
        await storage.remove([kept[1].key])


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "RequestTimeTooSkewed", "clock and its own are too far apart"),
        (404, "NoSuchBucket", "it has no such bucket; create it, or mend the name in storage.url"),
        (301, "PermanentRedirect", "mend storage.region or storage.endpoint"),
        (400, "AuthorizationHeaderMalformed", "mend storage.region"),
        (403, "InvalidAccessKeyId", "it does not know storage.access_key_id"),
        (403, "SignatureDoesNotMatch", "storage.secret_access_key is not that of the key"),
        (403, "AccessDenied", "the key may not do that"),
        (403, "SomethingElse", "refuses access; its keys or permissions need attention"),
        (400, "SomethingElse", "does not answer, or cannot read or write"),
    ],
)
async def test_the_stores_own_words_reach_whoever_must_act(store, storage, status, code, words):
    store.refusals["PUT"] = (status, code)
    with pytest.raises(StorageUnavailable) as caught:
        await storage.keep(b"made")
    assert words in str(caught.value)
    assert f"({code}: " in str(caught.value)
    assert f"said {code}" in str(caught.value) or status == 301
    health = await storage.probe()
    assert (health.state, words in health.detail) == (State.DOWN, True)


@pytest.mark.parametrize("code", ["XMinioStorageFull", "QuotaExceeded"])
async def test_a_full_store_is_full(store, storage, code):
    store.refusals["PUT"] = (400, code)
    with pytest.raises(StorageFull, match=code):
        await storage.keep(b"made")
    assert (await storage.probe()).state is State.DEGRADED
