"""SSRF guard: which addresses a URL chosen by somebody else may reach.

A caller names where webhooks go, and a vendor where results are: neither may reach our inside by it.
"""

import ipaddress
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from genpulse.adapters.network.name_resolver import NameNotFound, NameResolver
from genpulse.domain.text.host_names import inside_ending, is_misleading, is_this_machine

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is assigned to be reached globally (IANA, "IPv6 Address Space")."""
_RESERVED = (ipaddress.IPv6Network("3fff::/20"), ipaddress.IPv4Network("192.0.0.0/24"))
"""Of special purpose (IANA's registries), and global to some versions of Python."""
_LOOK_S = 2.0
"""Seconds in which a name is judged that a proxy is to resolve."""
_Address = IPv4Address | IPv6Address


class AddressRefused(OSError):
    """The name leads to an address that is not public. An `OSError`, as aiohttp expects of a resolver."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(
            f"{host} leads to {address}, which is not a public address, and only public ones are reached by a URL"
            " that somebody else has chosen"
        )


def is_public(address: str) -> bool:
    """Whether the whole Internet can reach an address. A mapped or tunnelled one is judged by its target."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return all(_is_global(each) for each in _targets(parsed))


def _is_global(address: _Address) -> bool:
    if not address.is_global or address.is_multicast or any(address in network for network in _RESERVED):
        return False
    return isinstance(address, IPv4Address) or address in _UNICAST


def _targets(address: _Address) -> Sequence[_Address]:
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address, address.sixtofour)
    if address.teredo:
        return (address, *address.teredo)
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)


def check_literal(host: str) -> None:
    """Refuse a host that is an address itself, which no resolver is asked about.

    Also one that some programs take for an address, such as `127.1`, and `localhost`. Raises `AddressRefused`.
    """
    if is_misleading(host):
        raise AddressRefused(host, "an address in a form that programs read in different ways")
    if is_this_machine(host):
        raise AddressRefused(host, "this machine")
    try:
        public = is_public(host.strip("[]"))
    except ValueError:
        return
    if not public:
        raise AddressRefused(host, host)


def public_socket(info: AddrInfoType) -> socket.socket:
    """A socket for a connection to this very address. Raises `AddressRefused`, whoever has resolved the name."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise AddressRefused(str(address[0]), str(address[0]))
    return socket.socket(family, kind, protocol)


class PublicResolver(AbstractResolver):
    """Resolves a name once; the connection goes to the very addresses that were checked."""

    def __init__(self, names: AbstractResolver | None = None) -> None:
        self._names = names or NameResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses, of which each must be public. Raises `AddressRefused`, `NameNotFound`."""
        results = await self._names.resolve(host, port, family)
        for result in results:
            if not is_public(result["host"]):
                raise AddressRefused(host, result["host"])
        return results

    async def close(self) -> None:
        """Close the resolver."""
        await self._names.close()


class NamesByProxy:
    """Checks names that a proxy will resolve, as far as they can be resolved here."""

    def __init__(self, name_servers: Sequence[str] = ()) -> None:
        self._names = PublicResolver(NameResolver(servers=name_servers, limit_s=_LOOK_S))

    async def check(self, host: str) -> None:
        """Refuse a host that is not public, as far as can be told from here. Raises `AddressRefused`.

        A name that leads nowhere here is left to the proxy, unless it is one that only a network inside has:
        behind many proxies names of the Internet cannot be resolved at all.
        """
        check_literal(host)
        if is_address(host):
            return
        if ending := inside_ending(host):
            raise AddressRefused(host, f"a network inside, by its name ({ending})")
        try:
            await self._names.resolve(host, 0, socket.AF_UNSPEC)
        except NameNotFound:
            return

    async def close(self) -> None:
        """Close what it asks."""
        await self._names.close()


def is_address(host: str) -> bool:
    """Whether a host is an address, perhaps in brackets."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
