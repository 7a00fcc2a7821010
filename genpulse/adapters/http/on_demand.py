"""The HTTP client of a process that may never ask a vendor for anything."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.provider.http import PUBLIC, Http, Reach, Reply, Request, Socket

if TYPE_CHECKING:
    from genpulse.adapters.http.http_client import HttpClient


class HttpOnDemand:
    """Implements `Http` by an `HttpClient`, which it loads with the first request. Close it with `close()`.

    An API process mostly takes orders and shows tasks: aiohttp would be 8 MB of it.
    """

    def __init__(self, version: str, *, proxies: Proxies = NO_PROXIES) -> None:
        self._version = version
        self._proxies = proxies
        self._loaded: HttpClient | None = None

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status."""
        return await self._http.send(request)

    def fetch_public(
        self, url: str, *, reach: Reach = PUBLIC, limit_bytes: int | None = None, is_fresh: bool = False
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that somebody else has named, without any credentials."""
        return self._http.fetch_public(url, reach=reach, limit_bytes=limit_bytes, is_fresh=is_fresh)

    def fetch_own(
        self, url: str, *, headers: Mapping[str, str], reach: Reach = PUBLIC, limit_bytes: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that the adapter itself has built, with the account's headers."""
        return self._http.fetch_own(url, headers=headers, reach=reach, limit_bytes=limit_bytes)

    def websocket(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Socket]:
        """A WebSocket."""
        return self._http.websocket(url, headers)

    @property
    def _http(self) -> Http:
        if self._loaded is None:
            from genpulse.adapters.http.http_client import HttpClient

            self._loaded = HttpClient(self._version, proxies=self._proxies)
        return self._loaded

    async def close(self) -> None:
        """Close all connections."""
        if self._loaded is not None:
            await self._loaded.close()
