"""URLs that others have written: used as they are, compared as servers understand them."""

import re
from functools import lru_cache
from urllib.parse import unquote, urljoin

from yarl import URL

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\]*)([^#]*)(?:#.*)?", re.DOTALL)
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+(%[a-z0-9._~-]+)?", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_PRINTED = re.compile(r"[\x21-\x7e]*")
_SPACES = " \t\r\n\f"
_LENGTH = 1 << 14
"""Signed URLs have some thousand characters; whoever sends more of them wants something else."""
_PASSES = 8


def exact(text: str) -> URL:
    """The URL whose path and query go over the wire byte for byte, without its fragment.

    What no URL may hold is percent-encoded, as browsers do it. Raises `ValueError` for what names no host, and for
    more than 16,384 characters.
    """
    if len(text) > _LENGTH:
        raise ValueError(f"it has more than {_LENGTH:,} characters")
    match = _URL.fullmatch(text.strip(_SPACES))
    if match is None:
        raise ValueError("it is no URL with a scheme and a host")
    scheme, authority, target = match[1].lower(), match[2], _ascii(match[3])
    if target[:1] not in {"", "/", "?"}:
        raise ValueError("its host ends in a backslash")
    path = target if target.startswith("/") else f"/{target}"
    # The query stands in the path on purpose: elsewhere yarl drops an empty one.
    return URL.build(scheme=scheme, authority=_authority(scheme, authority), path=path, encoded=True)


@lru_cache(maxsize=256)
def _authority(scheme: str, written: str) -> str:
    """User, host and port as they are asked for. A vendor is asked for thousands of paths at few hosts."""
    place = URL(f"{scheme}://{written}/")
    if not place.raw_host or not _HOST.fullmatch(place.raw_host):
        raise ValueError("it names no host that can be asked for")
    return place.raw_authority


def joined(url: URL, location: str) -> URL:
    """Resolve the target of a redirect from `url`. Raises `ValueError`."""
    where = location.strip(_SPACES)
    if not where:
        raise ValueError("it redirects to nowhere")
    if _SCHEME.match(where):
        return exact(where)
    if where.startswith("//"):
        return exact(f"{url.scheme}:{where}")
    if where.startswith("/"):
        return exact(f"{url.scheme}://{url.raw_authority}{where}")
    return exact(urljoin(str(url), where))


def origin(url: URL) -> str:
    """Scheme, host and port, without anything that may be secret."""
    host = f"[{url.raw_host}]" if ":" in (url.raw_host or "") else url.raw_host
    return f"{url.scheme}://{host}:{url.port}" if url.port else f"{url.scheme}://{host}"


def raw_path(url: URL) -> str:
    """The path as it is asked for."""
    return url.raw_path_qs.partition("?")[0]


def plain_path(url: URL) -> str:
    """The path as the most lenient server would read it, without a slash at its end.

    Percent-encoding is undone however often it was done, backslashes count as slashes, control characters,
    parameters behind `;` and empty segments are dropped, and dots are followed. Raises `ValueError` for what is
    encoded over and over.
    """
    path = raw_path(url)
    for _ in range(_PASSES):
        path = unquote(path)
    if unquote(path) != path:
        raise ValueError("its path is percent-encoded over and over")
    segments: list[str] = []
    for segment in re.split(r"[/\\]+", _CONTROLS.sub("", path)):
        name = segment.partition(";")[0].strip()
        if name == "..":
            segments[-1:] = []
        elif name not in {"", "."}:
            segments.append(name)
    return "/" + "/".join(segments)


def is_under(path: str, prefix: str) -> bool:
    """Whether a path lies below a prefix, which is no folder's own address."""
    return path.startswith(f"{prefix.rstrip('/')}/")


def _ascii(text: str) -> str:
    if _PRINTED.fullmatch(text):
        return text
    return "".join(
        chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape")
    )
