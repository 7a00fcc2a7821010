"""HTTP connections: what is different for sync and async, and nothing else."""

import asyncio
import platform
import time
import weakref
from collections.abc import AsyncGenerator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from genpulse_client.address import Address
from genpulse_client.errors import ApiTimeout, ApiUnreachable
from genpulse_client.request import Request

CONNECT_S = 10.0
LAST_CALLS_S = 10.0
"""For how long a loop that ends waits for calls that are on their way."""
_CALLS = "genpulse_client.calls"
_SENT_NOTHING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def unreachable_by(error: httpx.HTTPError, url: str) -> ApiUnreachable:
    """The error that a broken connection stands for."""
    sent = not isinstance(error, (*_SENT_NOTHING, httpx.ProxyError))
    why = str(error) or type(error).__name__
    kind = ApiTimeout if isinstance(error, httpx.TimeoutException) else ApiUnreachable
    return kind(url, why, sent=sent)


class Session:
    """The connections of a sync client. Threads may share it. It closes itself when nobody has it any more."""

    def __init__(self, address: Address, silence_s: float) -> None:
        self._address = address
        self._silence_s = silence_s
        self._http = httpx.Client(**_settings(address, silence_s))
        self._finalizer = weakref.finalize(self, self._http.close)

    def send(self, request: Request, **body: Any) -> httpx.Response:
        """The response, as soon as its head is there."""
        return self._http.send(self._http.build_request(**_parts(self._address, request), **body), stream=True)

    def end(self, response: httpx.Response) -> None:
        """Nobody reads on in the response."""
        response.close()

    def within(self, silence_s: float) -> dict[str, Any]:
        """What `send` takes so that a shorter silence is borne."""
        return _timeout(silence_s)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections; a call opens new ones."""
        self._finalizer()
        self._http = httpx.Client(**_settings(self._address, self._silence_s))
        self._finalizer = weakref.finalize(self, self._http.close)


class AsyncSession:
    """The connections of an async client. Each event loop has its own, and they are closed when it ends."""

    def __init__(self, address: Address, silence_s: float) -> None:
        self._address = address
        self._silence_s = silence_s
        self._by_loop: dict[asyncio.AbstractEventLoop, _LoopConnections] = {}

    async def send(self, request: Request, **body: Any) -> httpx.Response:
        """The response, as soon as its head is there."""
        connections = await self._connections()
        http, calls = connections.http, connections.calls
        calls.begin()
        try:
            response = await http.send(http.build_request(**_parts(self._address, request), **body), stream=True)
        except BaseException:
            calls.end()
            raise
        response.extensions[_CALLS] = calls
        return response

    async def end(self, response: httpx.Response) -> None:
        """Nobody reads on in the response."""
        try:
            await response.aclose()
        finally:
            response.extensions[_CALLS].end()

    def within(self, silence_s: float) -> dict[str, Any]:
        """What `send` takes so that a shorter silence is borne."""
        return _timeout(silence_s)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the connections; a call opens new ones.

        Other loops close theirs when they run and no call is on its way there, after 10 seconds at the latest.
        """
        here = self._by_loop.pop(asyncio.get_running_loop(), None)
        self._by_loop.clear()
        if here is not None:
            await here.http.aclose()
            with suppress(RuntimeError):  # the loop ends, and closes it at this moment
                await here.life.aclose()

    async def _connections(self) -> "_LoopConnections":
        loop = asyncio.get_running_loop()
        connections = self._by_loop.get(loop)
        if connections is None or connections.http.is_closed:
            self._forget_idle_loops()
            http = httpx.AsyncClient(**_settings(self._address, self._silence_s))
            connections = self._by_loop[loop] = _LoopConnections(http)
            await anext(connections.life)
        return connections

    def _forget_idle_loops(self) -> None:
        """Those that run nothing: one that runs again closes its connections then, and opens others."""
        for loop in list(self._by_loop):
            if not loop.is_running():
                self._by_loop.pop(loop, None)


class _LoopConnections:
    """The connections in one loop. A loop closes the generators that it has begun when it ends, or when nobody has
    them any more: so does it with `life`, and with that the connections."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.calls = _Calls()
        self.life = _life(http, self.calls)


class _Calls:
    """How many calls are on their way."""

    def __init__(self) -> None:
        self._count = 0
        self.none = asyncio.Event()
        self.none.set()

    def begin(self) -> None:
        self._count += 1
        self.none.clear()

    def end(self) -> None:
        self._count -= 1
        if not self._count:
            self.none.set()


async def _life(http: httpx.AsyncClient, calls: _Calls) -> AsyncGenerator[None, None]:
    """A loop closes all its generators at once: what others call in theirs to clean up is waited for."""
    try:
        yield
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_CALLS_S):
                await calls.none.wait()
        await http.aclose()


def _settings(address: Address, silence_s: float) -> dict[str, Any]:
    headers = {**address.headers, "User-Agent": f"genpulse-client/{_version()} python/{platform.python_version()}"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    return {
        "headers": headers,
        "limits": limits,
        "follow_redirects": False,
        "trust_env": not address.is_local,
        **_timeout(silence_s),
    }


def _timeout(silence_s: float) -> dict[str, Any]:
    return {"timeout": httpx.Timeout(silence_s, connect=min(CONNECT_S, silence_s), pool=None)}


def _parts(address: Address, request: Request) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "method": request.method,
        "url": address.url + request.path,
        "headers": dict(request.headers),
    }
    if request.query:
        parts["params"] = list(request.query)
    if request.content is not None:
        parts["content"] = request.content
    return parts


def _version() -> str:
    try:
        return version("genpulse-client")
    except PackageNotFoundError:
        return "0"
