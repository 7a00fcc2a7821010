"""A name server on loopback that knows some names, and answers nothing about the rest."""

import asyncio
import ipaddress
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

_TYPES = {1: 4, 28: 6}


class NameServer(asyncio.DatagramProtocol):
    """`known` are addresses by name; none says that there is no such name. What hangs is in `hanging`."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self.known = dict(known)
        self.hanging: set[str] = set()
        self.address = ""

    def connection_made(self, transport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        name, end = _name_in(data, 12)
        (kind,) = struct.unpack("!H", data[end : end + 2])
        if name not in self.known:
            self.hanging.add(name)
            return
        question, found = data[12 : end + 4], self.known[name]
        addresses = [ipaddress.ip_address(each) for each in found]
        fitting = [each.packed for each in addresses if each.version == _TYPES.get(kind)]
        flags = 0x8180 if found else 0x8183
        head = data[:2] + struct.pack("!HHHHH", flags, 1, len(fitting), 0, 0)
        answers = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(each)) + each for each in fitting)
        self._transport.sendto(head + question + answers, addr)


def _name_in(data: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(labels).lower(), at + 1


@asynccontextmanager
async def name_server(**known: Sequence[str]) -> AsyncIterator[NameServer]:
    """Names are written with `_` for their dots."""
    names = {name.replace("_", "."): addresses for name, addresses in known.items()}
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(names), local_addr=("127.0.0.1", 0)
    )
    server.address = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    try:
        yield server
    finally:
        transport.close()
