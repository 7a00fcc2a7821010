"""Addresses of names, without a thread that waits: a name that hangs in DNS keeps nobody else from its own."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import aiodns
import pycares
from aiohttp.abc import AbstractResolver, ResolveResult

NAME_S = 5.0
"""Seconds in which a name has to lead to an address."""

_TRIES = 4
"""Where servers are usually quick, c-ares waits 0.25 s for the first one; these are 4 s together."""

_SYSTEM_THREADS = 4
_CLOSE_S = 2.0
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class NameNotFound(OSError):
    """A name has no address. An `OSError`, as aiohttp expects of a resolver."""


class NameTimeout(NameNotFound):
    """The name has led nowhere in `seconds`. No `TimeoutError`: nothing was sent, and aiohttp would not say so."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"the name {host} has led to no address within {seconds:g} s")


class NameResolver(AbstractResolver):
    """Reads /etc/hosts and resolv.conf and asks those name servers, or `servers` (`address:port`).

    With `asks_system`, names that these do not know are looked for as the system does it (mDNS, LDAP, a VPN's own
    ways), in four threads of its own: for names that an operator has chosen, never for those of strangers.
    """

    def __init__(self, *, asks_system: bool = False, servers: Sequence[str] = (), limit_s: float = NAME_S) -> None:
        self._asks_system = asks_system
        self._servers = servers
        self._limit_s = limit_s
        self._dns: aiodns.DNSResolver | None = None
        self._queries: set[asyncio.Future[pycares.AddrInfoResult]] = set()
        self._system: ThreadPoolExecutor | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses. Raises `NameNotFound`."""
        try:
            async with asyncio.timeout(self._limit_s):
                addresses = await self._addresses(host, family)
        except TimeoutError as error:
            raise NameTimeout(host, self._limit_s) from error
        return [_result(host, port, address) for address in addresses]

    async def _addresses(self, host: str, family: socket.AddressFamily) -> list[str]:
        try:
            return await self._by_dns(host, family)
        except NameNotFound as error:
            if isinstance(error, NameTimeout) or not self._asks_system:
                raise
            return await self._by_system(host, family)

    async def _by_dns(self, host: str, family: socket.AddressFamily) -> list[str]:
        if self._dns is None:
            self._dns = aiodns.DNSResolver(nameservers=self._servers or None, tries=_TRIES)
        try:
            query = self._dns.getaddrinfo(host, family=family, type=socket.SOCK_STREAM)
            self._queries.add(query)
            query.add_done_callback(self._forget)
            answer = await asyncio.shield(query)
        except (aiodns.error.DNSError, ValueError) as error:
            if error.args[:1] == (aiodns.error.ARES_ETIMEOUT,):
                raise NameTimeout(host, self._limit_s) from error
            raise NameNotFound(f"the name {host} leads to no address ({_words(error)})") from error
        addresses = [_address(node.addr) for node in answer.nodes]
        if not addresses:
            raise NameNotFound(f"the name {host} leads to no address")
        return addresses

    def _forget(self, query: "asyncio.Future[pycares.AddrInfoResult]") -> None:
        """Forget a finished query, and take its error so that asyncio logs no warning."""
        self._queries.discard(query)
        if not query.cancelled():
            query.exception()

    async def _by_system(self, host: str, family: socket.AddressFamily) -> list[str]:
        if self._system is None:
            self._system = ThreadPoolExecutor(_SYSTEM_THREADS, thread_name_prefix="names")
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.run_in_executor(
                self._system, lambda: socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:
            raise NameNotFound(f"the name {host} leads to no address ({error})") from error
        return [str(address[0]) for _, _, _, _, address in infos]

    async def close(self) -> None:
        """Stop all queries; those that wait for one get an error."""
        if self._dns is not None:
            dns, self._dns = self._dns, None
            await dns.close()
            if self._queries:
                # Another thread tells of each that it is over, and must not find this loop gone.
                await asyncio.wait(self._queries, timeout=_CLOSE_S)
        if self._system is not None:
            self._system.shutdown(wait=False, cancel_futures=True)
            self._system = None


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=_NUMERIC)


def _address(socket_address: tuple[bytes, int] | tuple[bytes, int, int, int]) -> str:
    """The address as text, with its interface for link-local ones."""
    scope = (
        f"%{socket.if_indextoname(socket_address[3])}" if len(socket_address) == 4 and socket_address[3] else ""
    )
    return socket_address[0].decode("ascii") + scope


def _words(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else str(error)
