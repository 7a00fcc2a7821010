"""Opening the store that a URL names."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, ObjectStore, S3Store, from_url

from genpulse.adapters.storage.errors import disk_errors
from genpulse.addresses.proxies import NO_PROXIES, Proxies, Proxy

REQUEST_S = 30.0
"""Seconds that a request may take which brings little."""
UPLOAD_S = 300.0
"""Seconds that one may take which brings a part of a file, beside three others: 70 kB/s are enough."""
_CONNECT = timedelta(seconds=5)
_RETRIES = 3
_RETRY_FOR = timedelta(seconds=15)
_CLOUD = "https://cloud.invalid"
"""Until there is a client that knows the host: it may go past the proxy after all by a name in `NO_PROXY`."""
_METADATA = "metadata.google.internal"
"""Where Google's machines get their identity from; those of other clouds ask a link-local address."""
_NO_PROXY = "http://127.0.0.1:9"
_EVERYTHING = "*,0.0.0.0/0,::/0"
"""Of which the first means names alone."""
_REMOTE = "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix"


def open_store(
    url: str, options: dict[str, str], *, request_s: float = REQUEST_S, proxies: Proxies = NO_PROXIES
) -> ObjectStore:
    """A folder is made when it is not there; nothing else is asked yet.

    A remote store that does not answer is tried again for about 15 seconds, a request takes at most `request_s`.
    It is reached as `proxies` say, whatever the variables of the process are.
    Raises `ValueError`, `StorageUnavailable`.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _folder(url, parts.netloc, url2pathname(parts.path))
    if parts.scheme == "memory":
        return MemoryStore()
    try:
        return from_url(  # type: ignore[call-overload, no-any-return]  # which options fit, the store itself knows
            url,
            config=options,
            client_options={
                "timeout": timedelta(seconds=request_s),
                "connect_timeout": _CONNECT,
                "allow_http": urlsplit(options.get("endpoint", "")).scheme == "http",
                **_proxied(_proxy(options.get("endpoint", "") or _CLOUD, proxies), proxies),
            },
            retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_FOR},
        )
    except (BaseError, ValueError, TypeError) as error:
        raise ValueError(
            f"{_first_line(error)} A storage URL is file:///folder, memory:/// or {_REMOTE}."
        ) from error


def proxy_of(store: ObjectStore, proxies: Proxies) -> Proxy | None:
    """The proxy to a remote store; None where there is none, or `NO_PROXY` names the host."""
    return _proxy(_address(store), proxies)


def _proxy(address: str, proxies: Proxies) -> Proxy | None:
    parts = urlsplit(address)
    return proxies.to(parts.scheme, parts.hostname or "", parts.port)


def _address(store: ObjectStore) -> str:
    """The address that the client of the store connects to (object_store's documentation of each cloud)."""
    match store:
        case S3Store():
            region = store.config.get("region", "us-east-1")
            return store.config.get("endpoint") or f"https://s3.{region}.amazonaws.com"
        case AzureStore():
            account = store.config.get("account_name", "account")
            return store.config.get("endpoint") or f"https://{account}.blob.core.windows.net"
        case GCSStore():
            return "https://storage.googleapis.com"
        case _:
            return _CLOUD


def _proxied(proxy: Proxy | None, proxies: Proxies) -> dict[str, str]:
    """The client reads the variables itself where it is told of no proxy; so it is told of one for no host."""
    if proxy is None:
        return {"proxy_url": _NO_PROXY, "proxy_excludes": _EVERYTHING}
    login = ":".join(quote(each, safe="") for each in proxy.login) + "@" if proxy.login else ""
    return {
        "proxy_url": proxy.origin.replace("://", f"://{login}", 1),
        "proxy_excludes": f"{proxies.exclusions},{_METADATA}",
    }


def _folder(url: str, host: str, path: str) -> LocalStore:
    if host not in {"", "localhost"} or not Path(path).is_absolute():
        raise ValueError(f"The storage URL {url!r} needs an absolute folder with three slashes: file:///folder.")
    with disk_errors(f"open the storage folder {path} of storage.url"):
        return LocalStore(Path(path), mkdir=True, automatic_cleanup=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") + "."
