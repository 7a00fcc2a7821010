"""Limits of connections, per peer and in all.

A silent connection costs nothing to whoever opens it, and a descriptor to us. Where a client or all together have
too many, the one that has been silent for the longest gives way; one that is being answered never does.
"""

import logging
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol, TypeAlias

PEERS = "genpulse.peers"
"""Where in the state of the lifespan the server finds them."""
TOLD_EVERY_S = 60.0
_ALL = "*"
_SUBNET_BITS = 64
"""Whoever has one address of IPv6 has all of its /64."""
_KEPT_FREE = 4
"""One of so many descriptors is kept for databases, files and what is being closed, and 32 of them at least."""
_LEAST_FREE = 32
_UNBOUNDED = 1 << 20
_PLENTY = 1 << 16

_Network: TypeAlias = IPv4Network | IPv6Network
_log = logging.getLogger(__name__)


class Held(Protocol):
    """A connection, as it is counted."""

    def is_idle(self) -> bool:
        """Whether nothing is being answered on it."""

    def give_way(self) -> None:
        """Close it."""


class Peers:
    """Counts the connections of each peer: an address of IPv4, the /64 of one of IPv6.

    A peer has `per_peer` of them at most, and all together `most`. `trusted` are addresses and networks of
    proxies, with commas, or `*`: they speak for many, and are held to `most` alone, and so is whoever has no
    address, such as at a Unix socket. `closed` counts those that were closed, by reason. `clock` is monotonic, in
    seconds.
    """

    def __init__(
        self, per_peer: int, most: int, trusted: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_peer = per_peer
        self._most = max(most, 1)
        self._trusts_all = _ALL in (part.strip() for part in trusted.split(","))
        self._trusted = tuple(_networks(trusted))
        self._clock = clock
        self._of: dict[str, dict[Held, None]] = {}
        self._peers: dict[Held, str] = {}
        self._told_at = float("-inf")
        self._untold: Counter[str] = Counter()
        self.closed: Counter[str] = Counter(peer=0, descriptors=0)

    @property
    def open(self) -> int:
        """The number of open connections."""
        return len(self._peers)

    def admit(self, connection: Held, address: str | None) -> bool:
        """Count a new connection, where needed in place of one that is silent. False: there is no room for it."""
        peer, is_limited = self._peer(address)
        if is_limited and len(self._of.get(peer, ())) >= self._per_peer:
            self._note("peer", peer)
            if not self._make_room(self._of[peer]):
                return False
        if len(self._peers) >= self._most:
            greediest = max(self._of, key=lambda each: len(self._of[each]))
            self._note("descriptors", greediest)
            if not self._make_room(self._of[greediest]) and not self._make_room(self._peers):
                return False
        self._of.setdefault(peer, {})[connection] = None
        self._peers[connection] = peer
        return True

    def note_idle(self, connection: Held) -> None:
        """The connection is idle from now on: of all idle ones it is the last that is closed to make room."""
        peer = self._peers.pop(connection, None)
        if peer is not None:
            self._peers[connection] = peer
            self._of[peer][connection] = self._of[peer].pop(connection)

    def remove(self, connection: Held) -> None:
        """Count a connection no more; one that was not counted is ignored."""
        peer = self._peers.pop(connection, None)
        if peer is not None:
            of_peer = self._of[peer]
            del of_peer[connection]
            if not of_peer:
                del self._of[peer]

    def _make_room(self, connections: "dict[Held, None] | dict[Held, str]") -> bool:
        """Close the connection that has been idle for longest."""
        idle = next((each for each in connections if each.is_idle()), None)
        if idle is None:
            return False
        self.remove(idle)
        idle.give_way()
        return True

    def _peer(self, address: str | None) -> tuple[str, bool]:
        try:
            parsed = ip_address((address or "").partition("%")[0])
        except ValueError:
            return "", False
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        is_trusted = self._trusts_all or any(plain in network for network in self._trusted)
        return _peer_of(plain), not is_trusted

    def _note(self, reason: str, peer: str) -> None:
        """Count it, and say so once a minute, however many they are."""
        self.closed[reason] += 1
        self._untold[reason] += 1
        if (now := self._clock()) - self._told_at < TOLD_EVERY_S:
            return
        self._told_at = now
        of_peer, of_all = self._untold["peer"], self._untold["descriptors"]
        self._untold.clear()
        _log.warning(
            "too many connections, last from %s: %d closed since one client may have %d (api.connections_per_peer;"
            " name proxies in api.trusted_proxies), %d since all together may have %d (open files: ulimit -n)",
            peer or "a socket without an address",
            of_peer,
            self._per_peer,
            of_all,
            self._most,
        )


def _peer_of(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, _SUBNET_BITS), strict=False))


def _networks(text: str) -> Iterator[_Network]:
    """The networks of a list; entries that are no address, such as the path of a socket, are left out."""
    for part in text.split(","):
        try:
            yield ip_network(part.strip(), strict=False)
        except ValueError:
            continue


def take_descriptors() -> None:
    """Raise the limit of open file descriptors as far as the system allows, to 65,536 at most.

    The usual limit of 1,024 is for programs that wait with `select`, which nothing here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _PLENTY if hard == resource.RLIM_INFINITY else min(hard, _PLENTY)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


def most_connections() -> int:
    """As many as this process can have, with the descriptors that it needs besides."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return _UNBOUNDED
    return max(limit - max(limit // _KEPT_FREE, _LEAST_FREE), 1)
