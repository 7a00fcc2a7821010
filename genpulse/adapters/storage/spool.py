"""A stream on its way to the storage: written to a local file while its digest is computed."""

import asyncio
import errno
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from genpulse.domain.errors import ContentTooLarge, StorageFull, StorageUnavailable

_AT_ONCE = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Spooled:
    """A whole file on the local disk. `size` is in bytes."""

    path: Path
    sha256: str
    size: int


@contextmanager
def spool_file(folder: Path | None) -> Iterator[BinaryIO]:
    """A temporary file that is gone afterwards."""
    with local_errors():
        file = tempfile.NamedTemporaryFile(prefix="genpulse-", dir=folder)  # noqa: SIM115 - closed below
    with file:
        yield cast("BinaryIO", file)


@contextmanager
def local_errors() -> Iterator[None]:
    """Turn what the local disk says into the words of the house."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("There is no space left for new files.") from error
        raise StorageUnavailable(f"A file could not be written ({error.strerror}).") from error


async def spool(content: bytes | Path | AsyncIterator[bytes], file: BinaryIO, limit_bytes: int | None) -> Spooled:
    """Write everything to the file. Raises `ContentTooLarge`, `StorageFull`, `StorageUnavailable`."""
    digest = hashlib.sha256()
    size = 0
    async for piece in _in_pieces(_chunks(content)):
        size += len(piece)
        if limit_bytes is not None and size > limit_bytes:
            raise ContentTooLarge(limit_bytes)
        await asyncio.to_thread(_write, file, digest, piece)
    with local_errors():
        await asyncio.to_thread(file.flush)
    return Spooled(Path(file.name), digest.hexdigest(), size)


def _write(file: BinaryIO, digest: "hashlib._Hash", piece: bytes) -> None:
    digest.update(piece)
    with local_errors():
        file.write(piece)


async def _in_pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Small chunks together, so that a thread is not asked for each of them."""
    waiting: list[bytes] = []
    length = 0
    async for chunk in chunks:
        waiting.append(chunk)
        length += len(chunk)
        if length >= _AT_ONCE:
            yield b"".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield b"".join(waiting)


async def _chunks(content: bytes | Path | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    match content:
        case bytes():
            yield content
        case Path():
            with local_errors():
                file = await asyncio.to_thread(content.open, "rb")
            with file:
                while chunk := await asyncio.to_thread(file.read, _AT_ONCE):
                    yield chunk
        case chunks:
            async for chunk in chunks:
                yield chunk
