"""The client of a process, as plug-ins see it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from genpulse.provider.http.messages import Reply, Request
from genpulse.provider.http.reach import PUBLIC, Reach


class Socket(Protocol):
    """A WebSocket: iterate over its messages, which are text or bytes; it ends when the other side closes it."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Raises `AnswerLost` when the connection breaks."""

    async def send(self, text: str) -> None:
        """Raises `AnswerLost`."""


class Http(Protocol):
    """Sends requests. Follows no redirect and repeats nothing by itself.

    Every URL is asked for exactly as it is given, byte for byte; only what no URL may hold (spaces, letters
    outside of ASCII) is percent-encoded.
    """

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status.

        Raises `ProviderUnreachable` when the request was definitely not sent (refused, unknown host, no TLS),
        `AnswerUnusable` when a successful answer cannot be read, and `AnswerLost` when none came.
        """

    def fetch_public(
        self, url: str, *, reach: Reach = PUBLIC, limit_bytes: int | None = None, is_fresh: bool = False
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that somebody else has named, in chunks, without any credentials.

        It has to be https on a public address, or within `reach`. Redirects are followed under the same rule, at
        most five. `is_fresh`: a vendor has just given the URL, so that its file may be there in a moment.

        Raises `OutputUnavailable` for what may not or can no longer be fetched and for more than `limit_bytes`,
        `ProviderUnavailable` for what may be there later, `AnswerLost` when it breaks off.
        """

    def fetch_own(
        self, url: str, *, headers: Mapping[str, str], reach: Reach = PUBLIC, limit_bytes: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that the plug-in itself has built, in chunks, with the account's `headers`.

        A redirect is followed as in `fetch_public`, without the headers. Raises as that does, and
        `QuestionRefused` where the vendor refuses the path itself: a key that was changed costs no file.
        """

    def websocket(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Socket]:
        """A WebSocket. Raises `ProviderUnavailable` where it cannot be opened."""
