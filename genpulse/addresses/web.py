"""Addresses of web servers, and of the place where assets are kept."""

from genpulse.addresses.authority import wrong_authority, wrong_end
from genpulse.addresses.url import Url

_SCHEMES = ("http", "https")
_FOLDERS = frozenset({"file", "memory"})
_STORES = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
_EXAMPLES = "file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"


def refusal(url: str) -> str:
    """What is wrong with an address of a web server, in words without its secrets; empty when it can be tried.

    Paths are put behind all of these.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        return "it must begin with http:// or https://"
    if wrong := wrong_authority(rest) or wrong_end(rest, takes_query=False):
        return wrong
    (host, *others) = Url.of(url).hosts
    return "" if host.partition(":")[0] and not others else "it names no host, or several"


def refusal_of_store(url: str) -> str:
    """What is wrong with the address of a store; empty when it can be tried."""
    scheme, _, rest = url.partition(":")
    if scheme in _FOLDERS:
        # Without slashes it is the name of a folder, and no URL.
        return wrong_end(rest.removeprefix("//"), takes_query=False) if rest.startswith("//") else ""
    if scheme not in _STORES or not rest.startswith("//"):
        return f"expected {_EXAMPLES}"
    return (
        wrong_end(rest.removeprefix("//"), takes_query=False)
        if Url.of(url).hosts != ("",)
        else f"it names no bucket; expected {_EXAMPLES}"
    )
