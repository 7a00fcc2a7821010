"""Uploads a file and downloads it where that can be: `… URL FILE`. Prints the seconds of both.

`… URL` alone is downloaded.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp

CHUNK = 1 << 20


async def main(url: str, path: Path | None) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        began = time.perf_counter()
        if path is None:
            await _download(session, url)
            print(json.dumps({"download_s": time.perf_counter() - began}))
            return
        with path.open("rb") as file:
            form = aiohttp.FormData()
            form.add_field("file", file, filename=path.name)
            async with session.post(f"{url}/v1/uploads", data=form) as answer:
                kept = await answer.json()
                if answer.status != 201:
                    raise SystemExit(str(kept))
        uploaded = time.perf_counter()
        if "url" not in kept:
            print(json.dumps({"upload_s": uploaded - began}))
            return
        size = await _download(session, kept["url"])
        if size != path.stat().st_size:
            raise SystemExit(f"{size} bytes came back")
        print(json.dumps({"upload_s": uploaded - began, "download_s": time.perf_counter() - uploaded}))


async def _download(session: aiohttp.ClientSession, url: str) -> int:
    size = 0
    async with session.get(url, raise_for_status=True) as answer:
        async for chunk in answer.content.iter_chunked(CHUNK):
            size += len(chunk)
    return size


asyncio.run(main(sys.argv[1], Path(sys.argv[2]) if sys.argv[2:] else None))
