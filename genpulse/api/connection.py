"""Requests whose headers are indexed once, since each is looked at by several rooms."""

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

_INDEXED = "genpulse.headers"


class IndexedHeaders(Headers):
    """The same headers, found without going through all of them; the first of several counts."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._first: dict[bytes, bytes] = dict(reversed(self._list))

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The value, or `default`."""
        value = self._first.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def getlist(self, key: str) -> list[str]:
        """All values, in their order."""
        return super().getlist(key) if key in self else []

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._first


def headers_of(scope: Scope) -> IndexedHeaders:
    """The headers of a request, indexed by whoever asks first."""
    found: IndexedHeaders | None = scope.get(_INDEXED)
    if found is None:
        found = scope[_INDEXED] = IndexedHeaders(scope)
    return found


class Connection(HTTPConnection):
    """A connection with indexed headers."""

    @property
    def headers(self) -> Headers:
        """Of the request."""
        return headers_of(self.scope)


class LeanRequest(Request):
    """A request with indexed headers."""

    @property
    def headers(self) -> Headers:
        """Of the request."""
        return headers_of(self.scope)
