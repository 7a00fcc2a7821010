"""Addresses of web servers, and of the place where assets are kept."""

from genpulse.addresses.authority import split, wrong_authority

_SCHEMES = ("http", "https")
_FOLDERS = frozenset({"file", "memory"})
_STORES = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
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


def refusal_of_store(url: str) -> str:
    """What is wrong with the address of a store; empty when it can be tried."""
    scheme, _, rest = url.partition(":")
    if scheme in _FOLDERS:
        return ""
    if scheme not in _STORES or not rest.startswith("//"):
        return f"expected {_EXAMPLES}"
    bucket = split(rest.removeprefix("//"))[0].rpartition("@")[2]
    return "" if bucket else f"it names no bucket; expected {_EXAMPLES}"
