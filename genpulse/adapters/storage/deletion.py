"""Removing objects: many by one request, or one by one where a store lets it be no other way."""

import http.client
import logging
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from genpulse.adapters.storage.errors import store_answer
from genpulse.addresses.proxies import NO_PROXIES, Proxies, Proxy

_EXPIRES = timedelta(minutes=5)
_TIMEOUT_S = 30.0
_DELETED = frozenset({200, 202, 204, 404})
_READ_BYTES = 2_000

_log = logging.getLogger(__name__)


def delete(store: ObjectStore, keys: list[str], *, proxies: Proxies = NO_PROXIES) -> None:
    """Remove what is under these keys; what is gone already is no error.

    One that cannot be removed, as when it is locked, is left and told. Where none could be, raises `BaseError`,
    `OSError`.
    """
    try:
        obstore.delete(store, keys)
    except (BaseError, OSError):
        _delete_each(store, keys, proxies)


def _delete_each(store: ObjectStore, keys: list[str], proxies: Proxies) -> None:
    failures: list[BaseError | OSError] = []
    for key in keys:
        try:
            _delete_one(store, key, proxies)
        except FileNotFoundError:
            continue
        except (BaseError, OSError) as error:
            failures.append(error)
    if failures and len(failures) == len(keys):
        raise failures[0]
    for failure in failures:
        _log.warning("bytes that are not needed any more stay in the storage%s", store_answer(failure))


def _delete_one(store: ObjectStore, key: str, proxies: Proxies) -> None:
    """Remove what is under a key; what is gone already is no error.

    obstore removes single objects of S3 by the call for many, too, which some stores do not know and others refuse
    whole for one that is locked. A signed address of the plain DELETE goes round that. Raises `OSError` with the
    store's words.
    """
    if not isinstance(store, S3Store | GCSStore | AzureStore):
        obstore.delete(store, key)
        return
    url = obstore.sign(store, "DELETE", key, _EXPIRES)
    try:
        status, words = _delete_by_address(url, proxies)
    except http.client.HTTPException as error:
        raise OSError(f"the store did not answer: {error}") from error
    if status not in _DELETED:
        raise OSError(f"the store answered {status}: {words}")


def _delete_by_address(url: str, proxies: Proxies) -> tuple[int, str]:
    parts = urlsplit(url)
    proxy = proxies.to(parts.scheme, parts.hostname or "", parts.port)
    connection, target = _way(parts, proxy), f"{parts.path}?{parts.query}"
    is_forwarded = proxy is not None and parts.scheme == "http"
    try:
        connection.request(
            "DELETE", url if is_forwarded else target, headers=proxy.headers if proxy and is_forwarded else {}
        )
        answer = connection.getresponse()
        return answer.status, answer.read(_READ_BYTES).decode("utf-8", "replace")
    finally:
        connection.close()


def _way(parts: SplitResult, proxy: Proxy | None) -> http.client.HTTPConnection:
    """To the store, or to the proxy, by a tunnel where the store has TLS."""
    if proxy is None:
        return _connection(parts.scheme, parts.hostname or "", parts.port)
    if parts.scheme == "http":
        return _connection(proxy.scheme, proxy.host, proxy.port)
    if proxy.scheme == "https":
        raise OSError(f"objects of a store with TLS are not removed one by one by {proxy}, which has TLS itself")
    connection = _connection("https", proxy.host, proxy.port)
    connection.set_tunnel(parts.hostname or "", parts.port or 443, headers=proxy.headers)
    return connection


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return kind(host, port, timeout=_TIMEOUT_S)
