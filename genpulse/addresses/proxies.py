"""Proxy settings from `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` have no standard. Where programs read them in different
ways, this does as curl does (its manual, section "Environment"): the name in small letters counts before that in
capitals, a proxy without a scheme is `http://`, and an entry of `NO_PROXY` means the names below it, too. Beyond
curl it reads what many others do: `HTTP_PROXY` in capitals, and in `NO_PROXY` ports, `*.` before a name, and a `*`
among others.
"""

import ipaddress
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_PLAIN = {"ws": "http", "wss": "https"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?")
_EXAMPLE = "such as http://proxy.example.com:3128"
_HERE = ("localhost", "127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10")
"""Never by a proxy: this machine, and what only its own network knows, such as a cloud's metadata."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy. `variable` names it; `login` are user and password, None without."""

    scheme: str
    host: str
    port: int
    variable: str
    login: tuple[str, str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The address without its login."""
        return f"{self.origin} ({self.variable})"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """Headers for the proxy alone: its login (RFC 7617), if there is one."""
        if self.login is None:
            return {}
        return {"Proxy-Authorization": f"Basic {b64encode(':'.join(self.login).encode()).decode()}"}

    def refusal(self, place: str, status: int, reason: str) -> str:
        """Explain a refusal by the proxy to connect to `place`, and say what to do."""
        text = f"the proxy {self} does not let {place} be reached: it answered {status} {reason}".rstrip()
        if status == 407:
            doing = "is not the one that it wants" if self.login else "is missing"
            return f"{text}; the login in {self.variable} {doing}: user:password@ stands before its host"
        if status in {401, 403, 405}:
            return f"{text}; let the proxy allow it, or name the host in NO_PROXY if there is a way without"
        return f"{text}; ask whoever looks after the proxy, or name the host in NO_PROXY if there is a way without"

    def absence(self, place: str, why: str) -> str:
        """Explain that the proxy neither connected to `place` nor answered."""
        return (
            f"the proxy {self} gave no way to {place}: {why}; mend {self.variable}, or name the host in NO_PROXY"
            " if there is a way without"
        )


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of a process, by the scheme of what is reached, and the hosts that are reached without."""

    http: Proxy | None = None
    https: Proxy | None = None
    excluded: tuple[str, ...] = ()

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Proxies":
        """Read the proxies from the variables; one that cannot be used counts as none (see `refusals`)."""
        by_scheme = {scheme: _named(variables, scheme) for scheme in _PORTS}
        usable = {
            scheme: _proxy(*named)
            for scheme, named in by_scheme.items()
            if named is not None and not _refusal(named[1])
        }
        return cls(usable.get("http"), usable.get("https"), _excluded(variables))

    def __iter__(self) -> Iterator[Proxy]:
        """Each of them once."""
        return iter(dict.fromkeys(each for each in (self.http, self.https) if each is not None))

    def to(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for an address; None where it is reached without. An IPv6 address may stand in brackets."""
        plain = _PLAIN.get(scheme, scheme)
        proxy = self.https if plain == "https" else self.http
        if proxy is None or self._is_excluded(host.strip("[]").rstrip(".").lower(), port or _PORTS.get(plain, 0)):
            return None
        return proxy

    @property
    def exclusions(self) -> str:
        """Hosts that are reached without a proxy, as a `NO_PROXY` without patterns, for libraries that read it."""
        return ",".join((*_HERE, *(each.removeprefix("*.") for each in self.excluded)))

    def _is_excluded(self, host: str, port: int) -> bool:
        return any(_matches(each, host, port) for each in (*_HERE, *self.excluded))


NO_PROXIES = Proxies()
"""Everything is reached without."""


def refusals(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that name a proxy which cannot be used, and why, without their values."""
    if "*" in _excluded(variables):
        return
    named = dict.fromkeys(proxy for scheme in _PORTS if (proxy := _named(variables, scheme)))
    for variable, value in named:
        if why := _refusal(value):
            yield variable, why


def _named(variables: Mapping[str, str], scheme: str) -> tuple[str, str] | None:
    """The variable that names the proxy of a scheme, and its value."""
    return _value(variables, f"{scheme.upper()}_PROXY") or _value(variables, "ALL_PROXY")


def _excluded(variables: Mapping[str, str]) -> tuple[str, ...]:
    value = _value(variables, "NO_PROXY")
    return tuple((value[1] if value else "").replace(",", " ").lower().split())


def _value(variables: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """The value of a variable; an empty one in small letters switches that in capitals off."""
    for each in (name.lower(), name):
        if each in variables:
            value = variables[each].strip()
            return (each, value) if value else None
    return None


def _refusal(value: str) -> str:
    """Why a proxy cannot be used, without any part of a password; empty when it can."""
    address = _with_scheme(value)
    scheme = address.partition("://")[0].lower()
    if not _SCHEME.fullmatch(scheme) or (scheme in _PORTS and not _is_usable(address)):
        return (
            f"it is no address of a proxy, {_EXAMPLE} or http://user:password@host:port with the signs of the"
            " password percent-encoded"
        )
    if scheme not in _PORTS:
        return (
            f"a proxy that speaks {scheme[:20]} cannot be used; name one that speaks HTTP, {_EXAMPLE}, or set"
            " NO_PROXY=* if there is a way without"
        )
    return ""


def _is_usable(address: str) -> bool:
    """Whether it names one host and nothing behind it: there, a password would go on that holds a / ? or #."""
    if any(letter.isspace() or letter in "?#" for letter in address):
        return False
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return has_port and parts.path in {"", "/"} and _is_host(parts.hostname or "")


def _is_host(text: str) -> bool:
    """Names beyond ASCII are written in coded form, which all clients take alike."""
    return (_HOST.fullmatch(text) is not None and ".." not in text) or _is_ipv6(text)


def _is_ipv6(text: str) -> bool:
    try:
        return not ipaddress.IPv6Address(text).scope_id
    except ValueError:
        return False


def _proxy(variable: str, value: str) -> Proxy:
    parts = urlsplit(_with_scheme(value))
    scheme = parts.scheme.lower()
    login = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return Proxy(scheme, parts.hostname or "", parts.port or _PORTS[scheme], variable, login)


def _with_scheme(value: str) -> str:
    return value if "://" in value else f"http://{value}"


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _is_within(host, entry)
    name, only = _parted(entry)
    if only is not None and only != str(port):
        return False
    name = name.removeprefix("*").strip(".")
    if _is_address(host):
        return _is_same_address(host, name)
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _parted(entry: str) -> tuple[str, str | None]:
    """Host and port."""
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        return host, port.removeprefix(":") or None
    host, colon, port = entry.partition(":")
    return (entry, None) if ":" in port else (host, port if colon else None)


def _is_within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    """Whether it is an IP address, which has no names below it: `NO_PROXY=1` does not match what ends in `.1`."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_same_address(host: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]) == ipaddress.ip_address(other)
    except ValueError:
        return False
