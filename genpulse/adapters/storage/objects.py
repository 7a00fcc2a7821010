"""The `Storage` port on obstore: a folder, memory, S3, GCS or Azure, by the same calls."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import LocalStore, MemoryStore

from genpulse.adapters.storage.deletion import delete_one
from genpulse.adapters.storage.errors import answered, disk_errors, is_missing, may_be_lost, object_errors, silence
from genpulse.adapters.storage.folder import put_file, reach_the_disk, remove_staged
from genpulse.adapters.storage.media import Media, describe
from genpulse.adapters.storage.opening import UPLOAD_S, open_store, proxy_of
from genpulse.adapters.storage.spool import Spooled, spool, spool_file
from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.domain.asset import Content, key_of
from genpulse.domain.errors import StorageFull, StorageLost, StorageUnavailable
from genpulse.ports import Health, Noting, State

CHUNK = 2 << 20
PROBE_S = 1.5
PROBE_KEY = "probe"

_MOST_AHEAD = 6
_PART = 5 << 20
_PARTS_AT_ONCE = 4
_CALLS_AT_ONCE = 32
_LOOKS_AT_ONCE = 4
_SPOOLS_AT_ONCE = 4

_log = logging.getLogger(__name__)

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
        self._store = open_store(url, options or {}, proxies=proxies)
        is_here = isinstance(self._store, LocalStore | MemoryStore)
        self._uploads = (
            self._store if is_here else open_store(url, options or {}, request_s=UPLOAD_S, proxies=proxies)
        )
        self._proxy = None if is_here else proxy_of(options or {}, proxies)
        self._folder = Path(self._store.prefix or "/") if isinstance(self._store, LocalStore) else None
        self._is_marked = False
        self._now = now
        self._spool_dir = spool_dir
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="storage")
        self._looks = ThreadPoolExecutor(_LOOKS_AT_ONCE, thread_name_prefix="media")
        self._spools = ThreadPoolExecutor(_SPOOLS_AT_ONCE, thread_name_prefix="spool")

    async def keep(
        self,
        content: bytes | Path | AsyncIterable[bytes],
        *,
        limit_bytes: int | None = None,
        noting: Noting | None = None,
    ) -> Content:
        """Store the bytes under week and digest, and tell what they are.

        In a folder they have reached the disk when this returns. Empty content is legal, and of no known type.
        """
        with spool_file(self._spool_dir) as file:
            spooled = await spool(content, file, limit_bytes, self._spools)
            media = await self._look(spooled)
            key = key_of(spooled.sha256, self._now())
            if noting is not None:
                await noting(key, spooled.size)
            await self._call(self._put, key, spooled, media.media_type)
        return Content(
            key,
            spooled.sha256,
            spooled.size,
            media.media_type,
            media.width,
            media.height,
            media.duration_s,
        )

    @asynccontextmanager
    async def spool(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> AsyncIterator[Path]:
        """The bytes of a stream in a local file, which is gone afterwards."""
        with spool_file(self._spool_dir) as file:
            yield (await spool(chunks, file, limit_bytes, self._spools)).path

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks of at most 2 MiB.

        One chunk more is asked for while one is taken, and up to six where whoever takes them had to wait: a slow
        reader holds 4 MiB, a fast one 14, and neither a thread nor a connection while it reads.
        """
        places = iter(range(start, end, CHUNK))
        coming: deque[asyncio.Task[bytes]] = deque()
        most = 1

        def ask() -> None:
            for at in islice(places, most - len(coming)):
                coming.append(asyncio.create_task(self._call(self._part, key, at, min(at + CHUNK, end))))

        try:
            # One first: those after it would be in vain where the storage is away.
            ask()
            while coming:
                had_to_wait = not coming[0].done()
                part = await coming.popleft()
                most = min(most + had_to_wait, _MOST_AHEAD)
                ask()
                yield part
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def remove(self, keys: Sequence[str]) -> None:
        """Forget the bytes under these keys; those that are gone already are no error."""
        if keys:
            await self._call(self._remove, list(keys))

    async def probe(self) -> Health:
        """Whether something can be written. Answers within 2 seconds and never raises."""
        try:
            async with asyncio.timeout(PROBE_S):
                await self._call(self._write_probe)
        except StorageFull as error:
            return Health("storage", State.DEGRADED, str(error))
        except StorageUnavailable as error:
            return Health("storage", State.DOWN, str(error))
        except TimeoutError:
            return Health("storage", State.DOWN, silence(PROBE_S, self._proxy))
        return Health("storage", State.OK)

    async def close(self) -> None:
        """Begin nothing more. What a thread is still about ends before the process does."""
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._looks.shutdown(wait=False, cancel_futures=True)
        self._spools.shutdown(wait=False, cancel_futures=True)

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        with object_errors(self._proxy):
            return await loop.run_in_executor(self._calls, lambda: call(*args, **kwargs))

    async def _look(self, spooled: Spooled) -> Media:
        with disk_errors("read the spool file"):
            return await asyncio.get_running_loop().run_in_executor(self._looks, describe, spooled.path)

    def _put(self, key: str, spooled: Spooled, media_type: str) -> None:
        self._mark()
        if self._folder is not None:
            self._put_file(self._folder, key, spooled)
        elif not self._has(key, spooled.size):
            self._put_object(key, spooled, media_type)

    def _put_file(self, folder: Path, key: str, spooled: Spooled) -> None:
        if self._has(key, spooled.size):
            reach_the_disk(folder, key)
        else:
            put_file(folder, key, spooled.path)

    def _put_object(self, key: str, spooled: Spooled, media_type: str) -> None:
        try:
            obstore.put(
                self._uploads,
                key,
                spooled.path,
                attributes=None if isinstance(self._store, MemoryStore) else {"Content-Type": media_type},
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except (BaseError, OSError):
            if not self._arrived(key, spooled.size):
                raise

    def _has(self, key: str, size: int) -> bool:
        """Also where the key may put and get and not list: then what is not there is forbidden to look at."""
        try:
            return obstore.head(self._store, key)["size"] == size
        except (FileNotFoundError, PermissionDeniedError):
            return False

    def _arrived(self, key: str, size: int) -> bool:
        """Whether it is there, though its putting was not answered or was answered with an error."""
        try:
            return self._has(key, size)
        except (BaseError, OSError):
            return False

    def _remove(self, keys: list[str]) -> None:
        if self._folder is not None:
            remove_staged(self._folder, keys)
        try:
            obstore.delete(self._store, keys)
        except (BaseError, OSError):
            self._remove_each(keys)

    def _remove_each(self, keys: list[str]) -> None:
        """One by one, where the store knows no other way, or where one of them is in the way of the others.

        One that cannot be removed, as when it is locked, is left and told. Raises where none could be.
        """
        failures: list[BaseError | OSError] = []
        for key in keys:
            try:
                delete_one(self._store, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                failures.append(error)
        if failures and len(failures) == len(keys):
            raise failures[0]
        for failure in failures:
            _log.warning("bytes that are not needed any more stay in the storage%s", answered(failure))

    def _part(self, key: str, start: int, end: int) -> bytes:
        try:
            part = bytes(obstore.get_range(self._store, key, start=start, end=end))
        except (BaseError, OSError) as error:
            if may_be_lost(error):
                self._look_again(key, end)
            raise
        if len(part) != end - start:
            self._look_again(key, end)
            raise StorageUnavailable(
                f"The bytes of this asset are incomplete: {end - start:,} were asked for, {len(part):,} came."
            )
        return part

    def _look_again(self, key: str, end: int) -> None:
        """Raises `StorageLost` where the object ends before `end`, or is gone from a storage that is there."""
        try:
            size = obstore.head(self._store, key)["size"]
        except (BaseError, OSError) as error:
            if not is_missing(error):
                raise
            self._find_mark()
            raise StorageLost("The bytes of this asset are gone from the storage.") from error
        if size < end:
            raise StorageLost(f"The bytes of this asset are cut off: {size:,} are left, {end:,} were kept.")

    def _find_mark(self) -> None:
        """Nothing is gone for ever from a disk that is not mounted, or from a bucket that is another one."""
        try:
            obstore.head(self._store, PROBE_KEY)
        except FileNotFoundError as error:
            raise StorageUnavailable(
                f"The storage holds nothing, not even {PROBE_KEY!r}, which is written there before anything else:"
                " is its disk mounted, is it the right bucket?"
            ) from error

    def _mark(self) -> None:
        if not self._is_marked:
            self._write_probe()
            self._is_marked = True

    def _write_probe(self) -> None:
        obstore.put(self._store, PROBE_KEY, b"genpulse was here\n")
