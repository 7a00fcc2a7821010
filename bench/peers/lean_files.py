"""The least that sends files over HTTP, from the same server: an ASGI application of one route, `GET` of any path.

Files of a folder are read at once, by the loop itself; objects of S3 are handed on as they come. Nobody is asked
whose they are, and nothing is compared: `… FOLDER`, or `… BUCKET OPTIONS` with obstore's options as JSON.
"""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
import uvicorn
from obstore.store import S3Store

_PART = 1 << 20
_TYPE = (b"content-type", b"application/octet-stream")


class Folder:
    """Files that are read as a whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self, path: str) -> tuple[int, AsyncIterator[bytes]]:
        body = (self._folder / path.lstrip("/")).read_bytes()

        async def whole() -> AsyncIterator[bytes]:
            yield body

        return len(body), whole()


class Bucket:
    """Objects that are handed on."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def open(self, path: str) -> tuple[int, AsyncIterator[bytes]]:
        found = await obstore.get_async(self._store, path.lstrip("/"))

        async def parts() -> AsyncIterator[bytes]:
            async for part in found.stream(min_chunk_size=_PART):
                yield bytes(part)

        return found.meta["size"], parts()


class Application:
    """`GET` of any path."""

    def __init__(self, source: Folder | Bucket) -> None:
        self._source = source

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        size, parts = await self._source.open(scope["path"])
        headers = [_TYPE, (b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def main(place: str, options: str = "") -> None:
    source = Bucket(_store(place, options)) if options else Folder(Path(place))
    uvicorn.run(Application(source), port=0, access_log=False, server_header=False, log_level="info")


def _store(bucket: str, options: str) -> S3Store:
    return S3Store(bucket, config=json.loads(options), client_options={"allow_http": True})


if __name__ == "__main__":
    main(*sys.argv[1:])
