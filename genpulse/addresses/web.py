"""Addresses of web servers, and of the place where assets are kept."""

import re

from genpulse.addresses.authority import split, wrong_authority

_SCHEMES = ("http", "https")
_FOLDERS = frozenset({"file", "memory"})
_STORES = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
_ODD = re.compile(r"""[^!-~]|[\\"<>^`{|}]""")
_EXAMPLES = "file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"


def refusal(url: str) -> str:
    """What is wrong with an address of a web server, in words without its secrets; empty when it can be tried."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        return "it must begin with http:// or https://"
    if wrong := wrong_authority(rest):
        return wrong
    host = split(rest)[0].rpartition("@")[2]
    return "" if host.partition(":")[0] else "it names no host"


def refusal_of_endpoint(url: str) -> str:
    """The same for a store that speaks S3.

    Its client takes an address as it is, and ends in a panic over signs which no address has (RFC 3986).
    """
    if wrong := refusal(url):
        return wrong
    if odd := _ODD.search(url):
        return (
            f"{odd[0]!r} is a sign that no address has; letters beyond ASCII are written in coded form (xn--…, %…)"
        )
    authority, end = split(url.partition("://")[2])
    if "@" in authority:
        return "a user or a password in it is not read; set storage.access_key_id and storage.secret_access_key"
    return "it ends in a query or a fragment, which is not read" if "?" in end or "#" in end else ""


def refusal_of_store(url: str) -> str:
    """What is wrong with the address of a store; empty when it can be tried."""
    scheme, _, rest = url.partition(":")
    if scheme in _FOLDERS:
        return ""
    if scheme not in _STORES or not rest.startswith("//"):
        return f"expected {_EXAMPLES}"
    bucket = split(rest.removeprefix("//"))[0].rpartition("@")[2]
    return "" if bucket else f"it names no bucket; expected {_EXAMPLES}"
