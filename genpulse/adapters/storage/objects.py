"""The `Storage` port on obstore: a folder, memory, S3, GCS or Azure, by the same calls."""

import asyncio
import hashlib
import io
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

from genpulse.adapters.storage.bucket import OTHER_BYTES, Bucket
from genpulse.adapters.storage.disk.checked_files import identity_of
from genpulse.adapters.storage.disk.spool import demand, spool
from genpulse.adapters.storage.disk.spool_folder import SpoolFolder
from genpulse.adapters.storage.errors import disk_errors, object_errors, silence
from genpulse.adapters.storage.incoming import Incoming
from genpulse.adapters.storage.media.description import Media, describe
from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.domain.assets.asset import Buffered, Content, Received, Spooled, Staged, key_of
from genpulse.domain.errors import ContentTooLarge, StorageFull, StorageLost, StorageUnavailable
from genpulse.ports import CheckedFile, Health, Noting, State

CHUNK = 2 << 20
PROBE_S = 1.5

_AT_ONCE = 64 << 10
"""So much is read by the event loop itself where nothing has to be waited for."""
_MOST_AHEAD = 6
_REMOTE_CHUNK = 4 << 20
_MOST_REMOTE_AHEAD = 4
_CALLS_AT_ONCE = 32
_LOOKS_AT_ONCE = 4
_SPOOLS_AT_ONCE = 4

P = ParamSpec("P")
T = TypeVar("T")


class ObjectStorage:
    """Implements `Storage`.

    `url` is `file:///folder`, `memory:///`, `s3://bucket/prefix` and so on; `options` go to the store as they are
    (`endpoint`, `access_key_id`, …). Streams are spooled in `spool_dir`, by default the system's temporary folder.
    Raises `ValueError` for a URL or options that no store takes, `StorageUnavailable` where the folder cannot be.

    All that blocks runs in threads of our own: obstore's asynchronous calls may abort a process that ends right
    after them, a storage that hangs must not hold up what else runs in threads, and nothing here waits for threads
    that others keep busy.
    """

    def __init__(
        self,
        url: str,
        *,
        spool_dir: Path | None = None,
        options: dict[str, str] | None = None,
        proxies: Proxies = NO_PROXIES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bucket = Bucket(url, options or {}, proxies=proxies)
        self._now = now
        self._spool = spool_folder(spool_dir, url, options or {})
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="storage")
        self._looks = ThreadPoolExecutor(_LOOKS_AT_ONCE, thread_name_prefix="media")
        self._spools = ThreadPoolExecutor(_SPOOLS_AT_ONCE, thread_name_prefix="spool")
        self._incoming = Incoming(self._bucket, self._spool, self._looks, now)

    async def sweep(self) -> None:
        """Remove what processes that were killed have left on the local disk. For the start of a process."""
        await asyncio.get_running_loop().run_in_executor(self._spools, self._spool.sweep)

    async def keep(
        self,
        content: bytes | Path | Received | AsyncIterable[bytes],
        *,
        limit_bytes: int | None = None,
        noting: Noting | None = None,
    ) -> Content:
        """Store the bytes under week and digest, and tell what they are.

        In a folder they have reached the disk when this returns. Empty content is legal, and of no known type.
        What is staged lies where it is kept.
        """
        if isinstance(content, Staged):
            return await self._keep_staged(content, limit_bytes, noting)
        async with self._whole(content, limit_bytes) as whole:
            media = await self._look(whole)
            key = key_of(whole.sha256, self._now())
            if noting is not None:
                key = await noting(key, whole.size)
            await self._call(self._bucket.put, key, whole, media.media_type)
        return media.content(key, whole.sha256, whole.size)

    @asynccontextmanager
    async def spool(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> AsyncIterator[Spooled]:
        """The bytes of a stream in a local file, which is gone afterwards."""
        with self._spool.file() as file:
            yield await spool(chunks, file, limit_bytes, self._spools)

    def receive(
        self, chunks: AsyncIterable[bytes], *, limit_bytes: int, noting: Noting
    ) -> AbstractAsyncContextManager[Received]:
        """The bytes of a stream, on this disk where the store is, and else on their way into it."""
        if self._bucket.is_here:
            return self.spool(chunks, limit_bytes=limit_bytes)
        return self._incoming.receive(chunks, limit_bytes=limit_bytes, noting=noting)

    async def media_type(self, received: Received) -> str:
        """What these bytes are."""
        if isinstance(received, Staged):
            return received.content.media_type
        return (await self._look(received)).media_type

    async def _keep_staged(self, staged: Staged, limit_bytes: int | None, noting: Noting | None) -> Content:
        content = staged.content
        if limit_bytes is not None and content.size > limit_bytes:
            raise ContentTooLarge(limit_bytes)
        if noting is not None and await noting(content.key, content.size) != content.key:
            raise StorageLost("The bytes of this asset were erased with the task that they were for.")
        self._incoming.needs(content.key)
        return content

    @asynccontextmanager
    async def _whole(
        self, content: bytes | Path | Spooled | Buffered | AsyncIterable[bytes], limit_bytes: int | None
    ) -> AsyncIterator[Spooled | Buffered]:
        """The content in a file or in memory; what is there already is used as it is."""
        if isinstance(content, bytes) and not self._bucket.is_here:
            content = await self._incoming.buffer(content)
        if isinstance(content, Buffered):
            if limit_bytes is not None and content.size > limit_bytes:
                raise ContentTooLarge(limit_bytes)
            yield content
        elif isinstance(content, Spooled):
            await asyncio.get_running_loop().run_in_executor(self._spools, demand, content, limit_bytes)
            yield content
        else:
            with self._spool.file() as file:
                yield await spool(content, file, limit_bytes, self._spools)

    async def read(self, key: str, start: int, end: int, *, sha256: str = "") -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks of at most 2 MiB, or 4 from elsewhere.

        Where these are all bytes, `sha256` is what they have to have; the last chunk comes only when they do.

        A chunk is hashed while it is taken. One more is asked for meanwhile, and more where whoever takes them had
        to wait: a slow reader holds two of them, a fast one 14 MiB of a folder and 20 from elsewhere, and neither
        a thread nor a connection while it reads.
        """
        if 0 < end - start <= _AT_ONCE:
            part = self._bucket.part_at_once(key, start, end, sha256=sha256)
            if part is not None:
                yield part
                return
        if 0 < end - start <= CHUNK:
            yield await self._call(self._bucket.part, key, start, end, sha256=sha256)
            return
        parts = self._parts(key, start, end)
        async with aclosing(self._compared(parts, key, end - start, sha256) if sha256 else parts) as taken:
            async for part in taken:
                yield part

    async def _parts(self, key: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        places = _places(start, end, CHUNK if self._bucket.is_here else _REMOTE_CHUNK)
        most_ahead = _MOST_AHEAD if self._bucket.is_here else _MOST_REMOTE_AHEAD
        coming: deque[asyncio.Task[bytes]] = deque()
        most = 1

        def ask() -> None:
            for place in islice(places, most - len(coming)):
                coming.append(asyncio.create_task(self._call(self._bucket.part, key, *place)))

        try:
            # One first: those after it would be in vain where the storage is away.
            ask()
            while coming:
                had_to_wait = not coming[0].done()
                part = await coming.popleft()
                most = min(most * 2 if had_to_wait else most, most_ahead)
                ask()
                yield part
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def _compared(
        self, parts: AsyncGenerator[bytes, None], key: str, size: int, sha256: str
    ) -> AsyncGenerator[bytes, None]:
        digest, loop = hashlib.sha256(), asyncio.get_running_loop()
        identity = await self._call(self._bucket.identity, key)
        hashing: asyncio.Future[None] | None = None
        async with aclosing(parts):
            async for part in parts:
                if hashing is not None:
                    await hashing
                hashing = loop.run_in_executor(self._calls, digest.update, part)
                size -= len(part)
                if not size:
                    await hashing
                    if digest.hexdigest() != sha256:
                        raise StorageLost(OTHER_BYTES)
                    if identity is not None:
                        await self._call(self._bucket.note_checked, key, sha256, identity)
                yield part

    async def checked_file(self, content: Content) -> CheckedFile | None:
        """The file with these bytes, where the store is a folder and this process has lately compared them."""
        opened = await self._call(self._bucket.checked_file, content.key, content.sha256)
        if opened is None:
            return None
        file, identity = opened

        async def is_unchanged() -> bool:
            return await self._call(identity_of, file.fileno()) == identity

        return CheckedFile(file, is_unchanged)

    async def remove(self, keys: Sequence[str]) -> None:
        """Forget the bytes under these keys; those that are gone already are no error."""
        if keys:
            await self._call(self._bucket.remove, list(keys))

    async def abort_unfinished(self, older_than: timedelta) -> int:
        """Forget parts of uploads that broke off; 0 where the store keeps none, or does not let us look."""
        return await self._call(self._bucket.abort_unfinished, self._now() - older_than)

    async def probe(self) -> Health:
        """Whether something can be written. Answers within 2 seconds and never raises."""
        try:
            async with asyncio.timeout(PROBE_S):
                await self._call(self._bucket.write_probe)
        except StorageFull as error:
            return Health("storage", State.DEGRADED, str(error))
        except StorageUnavailable as error:
            return Health("storage", State.DOWN, str(error))
        except TimeoutError:
            return Health("storage", State.DOWN, silence(PROBE_S, self._bucket.proxy))
        return Health("storage", State.OK)

    async def close(self) -> None:
        """Begin nothing more. What a thread is still about ends before the process does."""
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._looks.shutdown(wait=False, cancel_futures=True)
        self._spools.shutdown(wait=False, cancel_futures=True)
        self._incoming.close()
        self._spool.close()

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        with object_errors(self._bucket.proxy):
            return await loop.run_in_executor(self._calls, lambda: call(*args, **kwargs))

    async def _look(self, content: Spooled | Buffered) -> Media:
        with disk_errors("read the spool file"):
            return await asyncio.get_running_loop().run_in_executor(self._looks, _media_of, content)


def _places(start: int, end: int, largest: int) -> Iterator[tuple[int, int]]:
    """Where the chunks begin and end. The first is a small one, so that it is soon there."""
    size = CHUNK
    while start < end:
        yield start, min(start + size, end)
        start, size = start + size, largest


def _media_of(content: Spooled | Buffered) -> Media:
    """Raises `OSError`."""
    with io.BytesIO(content.body) if isinstance(content, Buffered) else content.path.open("rb") as file:
        return describe(file)


def spool_folder(spool_dir: Path | None, url: str, options: Mapping[str, str]) -> SpoolFolder:
    """Where the streams of a storage wait. Whoever keeps in the same place is of one installation."""
    return SpoolFolder(spool_dir, f"{options.get('endpoint', '')} {url}")
