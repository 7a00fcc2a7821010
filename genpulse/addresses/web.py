"""Addresses of web servers, and of the place where assets are kept."""

import re

from genpulse.addresses.authority import wrong_authority, wrong_end
from genpulse.addresses.url import Url

_SCHEMES = ("http", "https")
_FOLDERS = frozenset({"file", "memory"})
_STORES = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
_ODD = re.compile(r"""[^!-~]|[\\"<>^`{|}]""")
_EXAMPLES = "file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"


def refusal(url: str) -> str:
    """The fault of a web server's address, in words without its secrets; empty when it can be tried.

    Paths are put behind all of these.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        return "it must begin with http:// or https://"
    if wrong := wrong_authority(rest) or wrong_end(rest, takes_query=False):
        return wrong
    (host, *others) = Url.of(url).hosts
    return "" if host.partition(":")[0] and not others else "it names no host, or several"


def refusal_of_endpoint(url: str) -> str:
    """The fault of the address of a store that speaks S3; empty when it can be tried.

    Its client takes an address as it is, and ends in a panic over signs which no address has (RFC 3986).
    """
    if wrong := refusal(url):
        return wrong
    if odd := _ODD.search(url):
        return (
            f"{odd[0]!r} is a sign that no address has; letters beyond ASCII are written in coded form (xn--…, %…)"
        )
    if Url.of(url).login is not None:
        return "a user or a password in it is not read; set storage.access_key_id and storage.secret_access_key"
    return ""


def refusal_of_store(url: str) -> str:
    """The fault of the address of a store; empty when it can be tried."""
    scheme, _, rest = url.partition(":")
    if scheme in _FOLDERS:
        # Without slashes it is the name of a folder, and no URL.
        return wrong_end(rest.removeprefix("//"), takes_query=False) if rest.startswith("//") else ""
    if scheme not in _STORES or not rest.startswith("//"):
        return f"expected {_EXAMPLES}"
    if Url.of(url).hosts == ("",):
        return f"it names no bucket; expected {_EXAMPLES}"
    return wrong_end(rest.removeprefix("//"), takes_query=False)
