"""The `Storage` port on obstore: a folder, memory, S3, GCS or Azure, by the same calls."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from genpulse.adapters.storage.media import Media, describe
from genpulse.adapters.storage.spool import Spooled, spool, spool_file
from genpulse.domain.asset import Content, key_of
from genpulse.domain.errors import StorageFull, StorageUnavailable
from genpulse.ports import Health, State

CHUNK = 1 << 20
PROBE_S = 2.0
_DESCRIBE_S = 10.0
_PROBE_KEY = "probe"


class ObjectStorage:
    """Implements `Storage`.

    `url` is `file:///folder`, `memory:///`, `s3://bucket/prefix` and so on; `options` go to the store as they are
    (`endpoint`, `access_key_id`, …). Streams are spooled in `spool_dir`, by default the system's temporary folder.
    """

    def __init__(self, url: str, *, spool_dir: Path | None = None, options: dict[str, str] | None = None) -> None:
        self._local = urlsplit(url).scheme == "file"
        self._memory = urlsplit(url).scheme == "memory"
        self._store = _open(url, options or {})
        self._spool_dir = spool_dir

    async def keep(
        self, content: bytes | Path | AsyncIterator[bytes], *, limit_bytes: int | None = None
    ) -> Content:
        """Store the bytes under the digest that they have, and tell what they are."""
        if self._spool_dir is not None:
            self._spool_dir.mkdir(parents=True, exist_ok=True)
        with spool_file(self._spool_dir) as file:
            spooled = await spool(content, file, limit_bytes)
            media = await _described(spooled.path)
            key = key_of(spooled.sha256)
            await self._put(key, spooled, media.media_type)
        return Content(
            key,
            spooled.sha256,
            spooled.size,
            media.media_type,
            media.width,
            media.height,
            media.duration_s,
        )

    async def _put(self, key: str, spooled: Spooled, media_type: str) -> None:
        with _storage_errors():
            if await asyncio.to_thread(self._has, key, spooled.size):
                return
            plain = self._local or self._memory
            attributes = None if plain else {"Content-Type": media_type}
            await asyncio.to_thread(obstore.put, self._store, key, spooled.path, attributes=attributes)

    def _has(self, key: str, size: int) -> bool:
        try:
            return obstore.head(self._store, key)["size"] == size
        except (NotFoundError, FileNotFoundError):
            return False

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks."""
        if start >= end:
            return
        with _storage_errors():
            chunks = await asyncio.to_thread(self._stream, key, start, end)
            while chunk := await asyncio.to_thread(next, chunks, b""):
                yield chunk

    def _stream(self, key: str, start: int, end: int) -> Iterator[bytes]:
        found = obstore.get(self._store, key, options={"range": (start, end)})
        return (bytes(chunk) for chunk in found.stream(min_chunk_size=CHUNK))

    async def probe(self) -> Health:
        """Whether something can be written. Answers within 2 seconds and never raises."""
        try:
            async with asyncio.timeout(PROBE_S):
                with _storage_errors():
                    await asyncio.to_thread(obstore.put, self._store, _PROBE_KEY, b"")
        except (StorageUnavailable, TimeoutError) as error:
            return Health("storage", State.DOWN, str(error) or f"no answer within {PROBE_S:g} s")
        return Health("storage", State.OK)

    async def close(self) -> None:
        """Nothing is left open: every call has ended in its thread."""


def _open(url: str, options: dict[str, str]) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalStore(Path(url2pathname(parts.path)), mkdir=True)
    return from_url(url, config=options or None)  # type: ignore[arg-type]


async def _described(path: Path) -> Media:
    """What the file is; one that takes too long to look at is just bytes."""
    try:
        async with asyncio.timeout(_DESCRIBE_S):
            return await asyncio.to_thread(describe, path)
    except TimeoutError:
        return Media("application/octet-stream")


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Turn what a store says into the words of the house."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise StorageUnavailable("The bytes of this asset are gone from the storage.") from error
    except (BaseError, OSError) as error:
        said = str(error)
        if any(word in said for word in ("os error 28", "os error 122", "os error 27", "No space left")):
            raise StorageFull("There is no space left in the storage.") from error
        raise StorageUnavailable(f"The storage does not take part ({type(error).__name__}).") from error
