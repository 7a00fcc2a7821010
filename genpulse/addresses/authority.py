"""The part of an address between `//` and its path: who calls, and whom."""

import ipaddress
import re
import unicodedata

_HOST = re.compile(r"[^\s:\[\]@]*")
_ENCODED = "written in full: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, [ is %5B, ] is %5D"


def split(rest: str) -> tuple[str, str]:
    """The authority, and what comes after it, of what stands behind `://`."""
    length = next((place for place, letter in enumerate(rest) if letter in "/?#"), len(rest))
    return rest[:length], rest[length:]


def login_and_hosts(authority: str) -> tuple[str | None, tuple[str, ...]]:
    """The login before the last `@`, None where there is none; and the hosts behind it, split at commas."""
    login, at, hosts = authority.rpartition("@")
    return (login if at else None), tuple(hosts.split(","))


def wrong_authority(rest: str, misread: str = "[]") -> str:
    """The fault of user, password, hosts or ports; empty when there is none.

    `misread`: signs that drivers misread in a user or a password. Nothing of a password is repeated, wherever it
    ends up when a sign in it ends the authority early.
    """
    authority, end = split(rest)
    user, hosts = login_and_hosts(authority)
    if any(sign in (user or "") for sign in misread) or _is_cut(authority, end) or _is_folded(authority):
        return f"its user or its password holds a sign that has to be {_ENCODED}"
    return next((wrong for host in hosts if (wrong := _wrong_host(host))), "")


def _is_folded(authority: str) -> bool:
    """Whether a letter in it is for Unicode a sign that ends a part, such as ℀ for a/c. Python's `urlsplit`, by
    which drivers read addresses, refuses it with the whole password in its words.
    """
    folded = unicodedata.normalize("NFKC", authority)
    return any(folded.count(sign) != authority.count(sign) for sign in "/?#@:")


def _is_cut(authority: str, end: str) -> bool:
    """Whether a password goes on behind the authority: the `@` is there that should end it."""
    if "@" in authority or "@" not in end:
        return False
    path, _, query = end.partition("?")
    in_names = any("@" in part.partition("=")[0] for part in query.split("&"))
    return "@" in path or in_names or any(map(wrong_port, authority.split(",")))


def wrong_end(rest: str, *, takes_query: bool) -> str:
    """The fault of the end of an address, which no server would be told; empty when there is none."""
    _, end = split(rest)
    if "#" in end:
        return "it ends at its #, since no server is told what stands behind that; a # of a name or a value is %23"
    if not takes_query and "?" in end:
        return "it has a ?, and paths are put behind it: end it before the ?, or write %3F where it is of a name"
    return ""


def _wrong_host(host: str) -> str:
    if host.startswith("["):
        inner, bracket, port = host[1:].partition("]")
        return wrong_port(port) if bracket and _is_ipv6(inner) and port[:1] in {"", ":"} else _no_ipv6()
    name, _, _ = host.rpartition(":") if ":" in host else (host, "", "")
    if ":" in name:
        return _no_ipv6()
    return wrong_port(host) or ("" if _HOST.fullmatch(name) else "its host has a blank or a bracket in it")


def _no_ipv6() -> str:
    return "an IPv6 address in it stands in brackets, such as [2001:db8::1]:5432, and is a whole one"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def wrong_port(host: str) -> str:
    """The fault of the port behind the last colon; empty when it is a port, or there is none."""
    _, colon, port = host.rpartition(":")
    if colon and port and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65_535):
        return f"{port[:20]!r} is no port; a port is a number from 1 to 65535"
    return ""
