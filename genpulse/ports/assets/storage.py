"""The port of the storage of assets."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from genpulse.domain.assets.asset import Content, Received, Spooled

Noting: TypeAlias = Callable[[str, int], Awaitable[str]]
"""Is told the key and the size in bytes of what is about to be stored, and says under which key that is done.

What it raises passes through."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """An open file, which whoever gets it closes. `is_unchanged` tells whether nobody has written to it since."""

    file: BinaryIO
    is_unchanged: Callable[[], Awaitable[bool]]


class Storage(Protocol):
    """The team's own storage: content under keys made from the week and its SHA-256, or an id: see ADR 31."""

    async def keep(
        self,
        content: bytes | Path | Received | AsyncIterable[bytes],
        *,
        limit_bytes: int | None = None,
        noting: Noting | None = None,
    ) -> Content:
        """Store the bytes, never holding a stream whole in memory, and tell what they are.

        `noting` is awaited when the key is known and before anything is stored under it: see `Retention.expect`.
        The media type is found from the bytes. Content is not stored twice in a week (ISO, UTC). Raises
        `ContentTooLarge`, `StorageUnavailable`, `StorageFull`, and `StorageLost` for a file that does not exist or
        cannot be read; whatever a stream raises passes through and nothing is kept.
        """

    def spool(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> AbstractAsyncContextManager[Spooled]:
        """The bytes of a stream in a local file, which is gone afterwards: it can be kept more than once.

        Raises as `keep` does.
        """

    def receive(
        self, chunks: AsyncIterable[bytes], *, limit_bytes: int, noting: Noting
    ) -> AbstractAsyncContextManager[Received]:
        """The bytes of a stream that are to be kept, wherever this storage lets them wait for that.

        They may be in the storage already when they are all there: then `noting` was awaited before. What was not
        kept is gone afterwards. Raises as `keep` does, also in the middle of the stream, which is read once.
        """

    async def media_type(self, received: Received) -> str:
        """What these bytes are, as `keep` would tell. Raises `StorageUnavailable`."""

    def read(self, key: str, start: int, end: int, *, sha256: str = "") -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks.

        Where these are all bytes, `sha256` is what they have to have: other bytes are lost ones, which is told
        before the last chunk.
        Raises `StorageUnavailable`, and `StorageLost` where these bytes are not there and never come back.
        """

    async def checked_file(self, content: Content) -> CheckedFile | None:
        """A file of this machine with these bytes, which were compared with their digest lately; see ADR 33.

        None where there is none: then `read` has them, or tells what is wrong.
        """

    async def remove(self, keys: Sequence[str]) -> None:
        """Forget the bytes under these keys; those that are gone already are no error.

        Raises `StorageUnavailable`, and then some of them may be left.
        """

    async def abort_unfinished(self, older_than: timedelta) -> int:
        """Forget what is left of uploads that began longer ago and broke off; returns how many they were.

        Where the storage does not tell of them, the log says what to do. Raises `StorageUnavailable`.
        """
