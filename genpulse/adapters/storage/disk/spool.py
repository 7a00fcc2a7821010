"""A stream on its way to the storage: written to a local file while its digest is computed."""

import asyncio
import hashlib
import stat
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from pathlib import Path
from typing import IO

from genpulse.adapters.storage.errors import disk_errors, source_errors
from genpulse.domain.assets.asset import Spooled
from genpulse.domain.errors import ContentTooLarge

_AT_ONCE = 1 << 20


def demand(spooled: Spooled, limit_bytes: int | None) -> None:
    """Raises `ContentTooLarge`, and `StorageLost` where the file is gone or cannot be read."""
    if limit_bytes is not None and spooled.size > limit_bytes:
        raise ContentTooLarge(limit_bytes)
    _open(spooled.path).close()


async def spool(
    content: bytes | Path | AsyncIterable[bytes], file: IO[bytes], limit_bytes: int | None, threads: Executor
) -> Spooled:
    """Write everything to the file, in `threads`.

    Raises `ContentTooLarge` as soon as that is known, `StorageFull`, `StorageUnavailable`, `StorageLost` for a
    file that is not there or cannot be read, and whatever a stream raises.
    """
    loop = asyncio.get_running_loop()
    digest = hashlib.sha256()
    size = 0

    def write(piece: bytes) -> None:
        nonlocal size
        digest.update(piece)
        size += len(piece)
        with disk_errors("write the spool file"):
            file.write(piece)

    async with aclosing(pieces_of(content, limit_bytes, threads)) as pieces:
        await pour(pieces, write, threads)
    with disk_errors("write the spool file"):
        await loop.run_in_executor(threads, file.flush)
    return Spooled(Path(file.name), digest.hexdigest(), size)


async def pour(pieces: AsyncIterator[bytes], take: Callable[[bytes], None], threads: Executor) -> None:
    """Hand over all pieces in a thread, one after the other; the next one comes meanwhile.

    Where the stream breaks off, the thread has done with the last piece when this raises.
    """
    loop = asyncio.get_running_loop()
    taking: asyncio.Future[None] | None = None
    try:
        async for piece in pieces:
            if taking is not None:
                await taking
            taking = loop.run_in_executor(threads, take, piece)
        if taking is not None:
            await taking
    except BaseException:
        if taking is not None:
            await asyncio.gather(taking, return_exceptions=True)
        raise


async def pieces_of(
    content: bytes | Path | AsyncIterable[bytes], limit_bytes: int | None, threads: Executor
) -> AsyncGenerator[bytes, None]:
    """Small chunks together, so that a thread is not asked for each of them.

    Raises `ContentTooLarge` as soon as that is known, and as `spool` does for a file.
    """
    waiting: list[bytes] = []
    length = size = 0
    async with aclosing(_chunks(content, threads)) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if limit_bytes is not None and size > limit_bytes:
                raise ContentTooLarge(limit_bytes)
            waiting.append(chunk)
            length += len(chunk)
            if length >= _AT_ONCE:
                yield b"".join(waiting)
                waiting, length = [], 0
    if waiting:
        yield b"".join(waiting)


async def _chunks(content: bytes | Path | AsyncIterable[bytes], threads: Executor) -> AsyncGenerator[bytes, None]:
    match content:
        case bytes():
            yield content
        case Path():
            loop = asyncio.get_running_loop()
            with await loop.run_in_executor(threads, _open, content) as file:
                while chunk := await loop.run_in_executor(threads, _read, file, content.name):
                    yield chunk
        case chunks:
            async for chunk in chunks:
                yield chunk


def _open(path: Path) -> IO[bytes]:
    with source_errors(path.name):
        if not stat.S_ISREG(path.stat().st_mode):
            # A pipe would be waited for, and a device may have no end.
            raise ValueError("it is no file of bytes, but a folder, a pipe or a device")
        return path.open("rb")


def _read(file: IO[bytes], name: str) -> bytes:
    with source_errors(name):
        return file.read(_AT_ONCE)
