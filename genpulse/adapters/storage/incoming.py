"""Streams on their way into a store that is somewhere else: in memory, or part by part."""

import asyncio
import hashlib
import io
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec, TypeVar
from uuid import uuid4

from genpulse.adapters.storage.bucket import PART, PARTS_AT_ONCE, Bucket
from genpulse.adapters.storage.disk.spool import pieces_of, pour, spool
from genpulse.adapters.storage.disk.spool_folder import SpoolFolder
from genpulse.adapters.storage.errors import object_errors
from genpulse.adapters.storage.media.description import Media, describe
from genpulse.adapters.storage.media.media_type import media_type_of
from genpulse.adapters.storage.memory_share import MemoryShare, SharedMemory
from genpulse.adapters.storage.object_file import ObjectFile
from genpulse.adapters.storage.object_writer import Fingerprint
from genpulse.domain.assets.asset import Buffered, Received, Spooled, Staged, staged_key
from genpulse.domain.errors import StorageUnavailable
from genpulse.ports import Noting

STREAM_BYTES = (PARTS_AT_ONCE + 1) * PART + (3 << 20)
"""What a stream needs that goes on part by part: those on their way, the next one, and the pieces before it."""

_MOST_BYTES = 128 << 20
_THREADS = 8
_FORGET_S = 10.0
_HEAD = 1 << 12
_TYPED_BY = 1 << 16

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)


class Incoming:
    """Receives streams for a bucket.

    A stream that is no longer than a part stays in memory, and is put by one request under its digest. A longer
    one goes on while it comes, under a key that is no digest, since that is known at its end. All streams together
    hold at most 128 MiB; one for which there is no room is written to the disk first.
    """

    def __init__(
        self, bucket: Bucket, folder: SpoolFolder, looks: ThreadPoolExecutor, now: Callable[[], datetime]
    ) -> None:
        self._bucket = bucket
        self._folder = folder
        self._now = now
        self._looks = looks
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="incoming")
        self._memory = SharedMemory(_MOST_BYTES)
        self._unneeded: set[str] = set()

    @asynccontextmanager
    async def receive(
        self, chunks: AsyncIterable[bytes], *, limit_bytes: int, noting: Noting
    ) -> AsyncIterator[Received]:
        """The whole stream. What was not kept of it is gone afterwards."""
        pieces = pieces_of(chunks, limit_bytes, self._threads)
        with self._memory.share() as share:
            async with aclosing(pieces):
                beginning = await _beginning(pieces) if share.set(PART) else _Beginning()
                if beginning.is_whole:
                    yield await self._buffered(beginning, share)
                elif beginning.pieces and share.set(STREAM_BYTES):
                    async with self._staged(beginning, pieces, noting) as staged:
                        share.set(0)
                        yield staged
                else:
                    async with self._spooled(beginning, pieces) as spooled:
                        share.set(0)
                        yield spooled

    def needs(self, key: str) -> None:
        """What lies under this key is kept, and stays."""
        self._unneeded.discard(key)

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def buffer(self, body: bytes) -> Buffered:
        """These bytes with their digest."""
        digest = await asyncio.get_running_loop().run_in_executor(self._threads, hashlib.sha256, body)
        return Buffered(body, digest.hexdigest())

    async def _buffered(self, beginning: "_Beginning", share: MemoryShare) -> Buffered:
        body = b"".join(beginning.pieces)
        beginning.pieces.clear()
        share.set(len(body))
        return await self.buffer(body)

    @asynccontextmanager
    async def _spooled(
        self, beginning: "_Beginning", pieces: AsyncGenerator[bytes, None]
    ) -> AsyncIterator[Spooled]:
        with self._folder.file() as file:
            yield await spool(beginning.and_more(pieces), file, None, self._threads)

    @asynccontextmanager
    async def _staged(
        self, beginning: "_Beginning", pieces: AsyncGenerator[bytes, None], noting: Noting
    ) -> AsyncIterator[Staged]:
        key = await noting(staged_key(uuid4(), self._now()), sum(map(len, beginning.pieces)))
        head = beginning.pieces[0]
        try:
            fingerprint = await self._sent(key, head, beginning.and_more(pieces))
            media = await self._look(key, fingerprint, head)
            content = media.content(key, fingerprint.sha256, fingerprint.size)
            head = head[:_HEAD]
            yield Staged(content, head)
        finally:
            if key in self._unneeded:
                self._unneeded.discard(key)
                await self._forgotten("an object that is not needed", self._bucket.remove, [key])

    async def _sent(self, key: str, head: bytes, pieces: AsyncGenerator[bytes, None]) -> Fingerprint:
        """What the object is that was made of the stream.

        Its `Content-Type` is told by its beginning: nobody asks the store for it but people who look there.
        """
        writer = await self._call(self._bucket.open_writer, key, media_type_of(io.BytesIO(head[:_TYPED_BY])))

        def write(piece: bytes) -> None:
            with object_errors(self._bucket.proxy):
                writer.write(piece)

        try:
            async with aclosing(pieces):
                await pour(pieces, write, self._threads)
        except BaseException:
            await self._forgotten("the parts of an object that is not finished", writer.abort)
            raise
        self._unneeded.add(key)
        return await self._call(self._bucket.close_writer, writer)

    async def _look(self, key: str, fingerprint: Fingerprint, head: bytes) -> Media:
        """What it is. Most of it is told by the first MiB and the last bytes, which are here."""

        def part(start: int, end: int) -> bytes:
            return self._bucket.part(key, start, end)

        file = ObjectFile(part, fingerprint.size, head=head, end=fingerprint.end)
        loop = asyncio.get_running_loop()
        with object_errors(self._bucket.proxy):
            media = await loop.run_in_executor(self._looks, describe, file.opened)
            if file.failure is not None:
                raise file.failure
        return media

    async def _forgotten(self, what: str, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Remove what nobody needs. What cannot be removed now was noted before, and goes when it is old."""
        try:
            async with asyncio.timeout(_FORGET_S):
                await self._call(call, *args, **kwargs)
        except (StorageUnavailable, TimeoutError) as error:
            _log.warning("%s stays in the storage for now: %s", what, error)

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        with object_errors(self._bucket.proxy):
            return await loop.run_in_executor(self._threads, lambda: call(*args, **kwargs))


@dataclass(slots=True)
class _Beginning:
    """The first pieces of a stream, which are all of it where it `is_whole`."""

    pieces: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    async def and_more(self, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """All pieces, and none of them is held here any longer than it must."""
        while self.pieces:
            yield self.pieces.pop(0)
        async for piece in rest:
            yield piece


async def _beginning(pieces: AsyncGenerator[bytes, None]) -> _Beginning:
    """Up to a part, and what makes it longer than that."""
    begun: list[bytes] = []
    length = 0
    async for piece in pieces:
        begun.append(piece)
        length += len(piece)
        if length > PART:
            return _Beginning(begun)
    return _Beginning(begun, is_whole=True)
