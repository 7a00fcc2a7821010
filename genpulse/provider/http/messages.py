"""A request to a vendor, and the answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.text.storable import unsigned
from genpulse.provider.http.errors import AnswerUnusable

ANSWER_BYTES = 64 << 20
"""How large an answer may be that is held in memory, unless a request says otherwise."""


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
    swallow it; for requests that cost money. `traced`: it carries the W3C trace context of its task, where that
    has one.
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
    traced: bool = False

    @property
    def address(self) -> str:
        """The URL with the query behind it, and without a fragment, which goes over no wire."""
        url = self.url.partition("#")[0]
        if not self.query:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(self.query)}"


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
        except (ValueError, RecursionError) as error:
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

    def document_or_empty(self) -> JsonObject:
        """The body as a JSON object; an empty one for anything else."""
        try:
            return self.document()
        except AnswerUnusable:
            return {}

    def excerpt(self, length: int = 300) -> str:
        """The beginning of the body, for messages, without the queries of URLs: signatures stand there."""
        text = unsigned(" ".join(self.body[: 8 * length].decode("utf-8", "replace").split()))
        return text if len(text) <= length else f"{text[:length]}…"
