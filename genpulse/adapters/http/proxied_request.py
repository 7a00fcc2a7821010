"""The route of one request: direct, or through a proxy."""

from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from genpulse.adapters.http.errors import words
from genpulse.addresses.proxies import Proxies, Proxy
from genpulse.provider.http.address import origin

CONNECT_BY_PROXY_S = 20.0
"""Seconds until a proxy has made a way: it may ask for a name and connect by itself."""
_REFUSED = 407


class Way:
    """To one address. `proxy` is None where it is reached without.

    `is_open` once there is a connection over which the request may go; until then nothing of it was sent.
    """

    def __init__(self, url: URL, proxies: Proxies) -> None:
        self._url = url
        self.proxy: Proxy | None = proxies.to(url.scheme, url.raw_host or "", url.port)
        self.is_open = False
        self._is_tunnel = url.scheme in {"https", "wss"}

    @property
    def _place(self) -> str:
        return origin(self._url)

    @property
    def proxy_options(self) -> dict[str, Any]:
        """The proxy, as arguments of aiohttp's request."""
        if self.proxy is None:
            return {}
        return {"proxy": URL(self.proxy.origin), "proxy_headers": self.proxy.headers if self._is_tunnel else None}

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of aiohttp's request: the proxy, and this way for the trace."""
        return {**self.proxy_options, "trace_request_ctx": self} if self.proxy is not None else {}

    @property
    def headers(self) -> dict[str, str]:
        """Headers for the proxy, which it does not forward."""
        return {} if self.proxy is None or self._is_tunnel else self.proxy.headers

    @property
    def connect_s(self) -> float | None:
        """Seconds for the connection, beside those for its socket."""
        return CONNECT_BY_PROXY_S if self.proxy is not None else None

    @property
    def is_barred(self) -> bool:
        """Whether a proxy has made no connection, so that nothing was sent."""
        return self.proxy is not None and not self.is_open

    def why_barred(self, error: BaseException) -> str:
        """Why the proxy gave no way; empty where there is no proxy, or where it was not the proxy's doing."""
        if self.proxy is None or self.is_open:
            return ""
        return self.why_refused(error) or self._unnamed(self.proxy, error)

    def why_refused(self, error: BaseException) -> str:
        """Why the proxy refused, from errors whose type says so; empty for other errors."""
        if self.proxy is None:
            return ""
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return self.proxy.refusal(self._place, error.status, error.message[:100])
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            return self.proxy.absence(self._place, words(error))
        return ""

    def _unnamed(self, proxy: Proxy, error: BaseException) -> str:
        if isinstance(error, aiohttp.ClientSSLError) and (error.host, error.port) != (proxy.host, proxy.port):
            return ""
        if isinstance(error, TimeoutError):
            return proxy.absence(self._place, "it did not answer in time")
        return proxy.absence(self._place, words(error))

    def refusal_in(self, status: int, reason: str) -> str:
        """Why the proxy refused, from the status of its response; empty for other responses."""
        if self.proxy is None or self._is_tunnel or status != _REFUSED:
            return ""
        return self.proxy.refusal(self._place, status, reason)


def open_ways() -> aiohttp.TraceConfig:
    """A trace by which a session tells each `Way` when its connection is made."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_note_open)
    trace.on_connection_reuseconn.append(_note_open)
    return trace


async def _note_open(_session: aiohttp.ClientSession, context: SimpleNamespace, _of: object) -> None:
    way = context.trace_request_ctx
    if isinstance(way, Way):
        way.is_open = True
