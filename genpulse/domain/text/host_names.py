"""Names of hosts that somebody lists or calls."""

import ipaddress
import re
import unicodedata

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)")
_INSIDE = ("localhost", "local", "internal", "home.arpa", "intranet", "private", "corp", "home", "lan")
_BRACKETS = re.compile(r"\[([^\]]*)\](?::(.*))?")


def parse_hosts(text: str) -> frozenset[str]:
    """Names or addresses, separated by commas, each perhaps with `:port`; none for an empty text.

    They come back as an address has them: in lower case, letters beyond ASCII in their coded form, IPv6 without
    its brackets. Raises `ValueError` with what is wrong, such as for a whole address or a pattern.
    """
    return frozenset(_host(part) for one in text.split(",") if (part := one.strip()))


def is_misleading(host: str) -> bool:
    """Whether a host ends in a number and is no IPv4 address of four plain numbers (WHATWG, URL standard).

    `127.1`, `0177.0.0.1`, `0x7f.1` and `2130706433` are the same address to some programs, and a name to others.
    """
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    if not _NUMBER.fullmatch(plain.removesuffix(".").rpartition(".")[2]):
        return False
    try:
        return str(ipaddress.IPv4Address(plain)) != host
    except ValueError:
        return True


def is_this_machine(host: str) -> bool:
    """Whether a name means whoever looks it up: `localhost` and all names below it (RFC 6761)."""
    plain = host.lower().removesuffix(".")
    return plain == "localhost" or plain.endswith(".localhost")


def inside_ending(host: str) -> str:
    """Why a name means nothing in the Internet: what it ends in, or that it is one word; empty where it may.

    These endings are set apart, or are used inside so often that they are never given away (RFC 6761, RFC 6762 and
    its appendix G, RFC 8375, ICANN's resolution on .internal of 2024).
    """
    name = host.rstrip(".").lower()
    if "." not in name:
        return "one word"
    return next((f"*.{ending}" for ending in _INSIDE if name.endswith(f".{ending}")), "")


def _host(text: str) -> str:
    if "/" in text or "@" in text or "?" in text:
        raise ValueError(f"{text!r} is more than a host: write its name alone, such as files.example.com:8080")
    if "*" in text:
        raise ValueError(f"{text!r} is a pattern: name each host")
    bracketed = _BRACKETS.fullmatch(text)
    host, port = (bracketed[1], bracketed[2]) if bracketed else _parted(text)
    name = _address(host) if bracketed or ":" in host else _name(host, text)
    return name if port is None else f"{name}:{_port(port, text)}"


def _parted(text: str) -> tuple[str, str | None]:
    host, colon, port = text.partition(":")
    return (text, None) if ":" in port else (host, port if colon else None)


def _address(host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise ValueError(f"{host!r} is no IPv6 address; with a port it is written [::1]:8080") from None


def _name(host: str, text: str) -> str:
    try:
        name = host.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is no host: expected a name or an address, such as files.example.com:8080")
    return _ipv4(name, text) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def _ipv4(name: str, text: str) -> str:
    """What ends in a number is an address of version 4, and is written in full."""
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        raise ValueError(f"{text!r} is no IPv4 address of four numbers, such as 10.0.0.7") from None


def _port(port: str, text: str) -> int:
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
        raise ValueError(f"{text!r} has no port from 1 to 65535 behind its colon")
    return int(port)
