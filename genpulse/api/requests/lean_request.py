"""A request whose headers are indexed once."""

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import Receive, Scope

_INDEXED = "genpulse.headers"


class IndexedHeaders(Headers):
    """Headers with an index by name. `get` returns the first of several values."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._first = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(self._list)}

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The value, or `default`."""
        return self._first.get(key.lower(), default)

    def getlist(self, key: str) -> list[str]:
        """All values, in their order."""
        return super().getlist(key) if key in self else []

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._first


def headers_of(scope: Scope) -> IndexedHeaders:
    """The headers of a request, indexed by whoever asks first."""
    headers: IndexedHeaders | None = scope.get(_INDEXED)
    if headers is None:
        headers = scope[_INDEXED] = IndexedHeaders(scope)
    return headers


def forget(scope: Scope) -> None:
    """Drop the index: for requests that stay open for long and look at no header any more."""
    scope.pop(_INDEXED, None)


class Connection(HTTPConnection):
    """A connection with indexed headers."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._headers = headers_of(scope)


class LeanRequest(Request):
    """A request with indexed headers, whose body is read as a whole."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._headers = headers_of(scope)

    async def body(self) -> bytes:
        """The whole body. Raises `ClientDisconnect`."""
        message = await self.receive()
        chunks = [message.get("body", b"")]
        while message["type"] == "http.request" and message.get("more_body", False):
            message = await self.receive()
            chunks.append(message.get("body", b""))
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
