"""What is said to a vendor over HTTP, and what comes back.

`Http` is the process's one client, which every provider gets in its `ProviderSettings`.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from genpulse.domain.json_value import JsonObject, JsonValue

ANSWER_BYTES = 64 << 20
"""How large an answer may be that is held in memory, unless a request says otherwise."""


class AnswerLost(OSError):
    """The request may have been taken: no answer came, or none that can be read.

    An `OSError`, so that a submit counts as unknown and a poll is made again.
    """


class AnswerUnusable(AnswerLost):
    """An answer came and cannot be read: no JSON, cut off, wrongly packed."""


class AnswerTooLarge(AnswerUnusable):
    """An answer came that is larger than it may be: asking again would bring the same."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a form: a text, bytes, or a file. With a `filename` it is sent as a file."""

    name: str
    content: str | bytes | Path
    filename: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request, sent once and without retries.

    The body is `json`, or `form`, or none. The answer has to be complete within `timeout_s` seconds.
    `own_connection`: it goes over a new connection, so that one that the other side closes in that moment cannot
    swallow it; for requests that cost money.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    json: JsonValue = None
    form: tuple[Part, ...] = ()
    own_connection: bool = False
    timeout_s: float = 60.0
    limit_bytes: int = ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status says so."""
        return 200 <= self.status < 300

    def json(self) -> JsonValue:
        """The body as JSON. Raises `AnswerUnusable` for anything else, such as a page of a proxy."""
        try:
            value: JsonValue = json.loads(self.body)
        except ValueError as error:
            kind = self.headers.get("content-type", "no content type")
            raise AnswerUnusable(
                f"The answer ({self.status}, {kind}, {len(self.body)} bytes) is not JSON: {self.excerpt()}"
            ) from error
        return value

    def document(self) -> JsonObject:
        """The body as a JSON object. Raises `AnswerUnusable`."""
        value = self.json()
        if not isinstance(value, dict):
            raise AnswerUnusable(f"The answer ({self.status}) is not a JSON object: {self.excerpt()}")
        return value

    def excerpt(self, length: int = 300) -> str:
        """The beginning of the body, for messages."""
        text = " ".join(self.body[: 4 * length].decode("utf-8", "replace").split())
        return text if len(text) <= length else f"{text[:length]}…"


class Socket(Protocol):
    """A WebSocket: iterate over its messages, which are text or bytes; it ends when the other side closes it."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Raises `AnswerLost` when the connection breaks."""

    async def send(self, text: str) -> None:
        """Raises `AnswerLost`."""


class Http(Protocol):
    """Sends requests. Follows no redirect and repeats nothing by itself."""

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status.

        Raises `ProviderUnavailable` when the request was definitely not sent (refused, unknown host, no TLS), and
        `AnswerLost` when it may have been.
        """

    def download(
        self, url: str, *, own: str, headers: Mapping[str, str], limit_bytes: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that a vendor gave us, in chunks.

        It has to be https on a public address, or the very scheme, host and port of the base URL `own`, which
        alone gets the `headers`. Redirects are followed under the same rule, at most five.

        Raises `OutputUnavailable` for what may not or can no longer be fetched, `ProviderUnavailable` for what may
        be there later, `AnswerLost` when it breaks off.
        """

    def websocket(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Socket]:
        """A WebSocket. Raises `ProviderUnavailable` where it cannot be opened."""
