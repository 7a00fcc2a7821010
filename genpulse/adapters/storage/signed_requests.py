"""The few requests to a store that its client does not know, signed beforehand and without a body."""

import http.client
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from genpulse.addresses.proxies import Proxies, Proxy

_TIMEOUT_S = 30.0


def ask(
    method: str, url: str, proxies: Proxies, *, read_bytes: int, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and body of the answer. Raises `OSError`."""
    parts = urlsplit(url)
    proxy = proxies.to(parts.scheme, parts.hostname or "", parts.port)
    connection = _connection(parts, proxy)
    # A proxy forwards what has no TLS, and is told the whole address.
    login = proxy.headers if proxy is not None and parts.scheme == "http" else None
    target = f"{parts.path}?{parts.query}" if login is None else url
    try:
        connection.request(method, target, headers={**(headers or {}), **(login or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(read_bytes)
    except http.client.HTTPException as error:
        raise OSError(f"the store did not answer: {error}") from error
    finally:
        connection.close()


def _connection(parts: SplitResult, proxy: Proxy | None) -> http.client.HTTPConnection:
    """To the store, or to the proxy, by a tunnel where the store has TLS."""
    if proxy is None:
        return _opened(parts.scheme, parts.hostname or "", parts.port)
    if parts.scheme == "http":
        return _opened(proxy.scheme, proxy.host, proxy.port)
    if proxy.scheme == "https":
        raise OSError(
            f"a store with TLS is not asked by {proxy}, which has TLS, too: name one without TLS for it, or none"
        )
    connection = _opened("https", proxy.host, proxy.port)
    connection.set_tunnel(parts.hostname or "", parts.port or 443, headers=proxy.headers)
    return connection


def _opened(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return kind(host, port, timeout=_TIMEOUT_S)
