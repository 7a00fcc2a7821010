"""Whoever submits a task chooses the URL, and must not reach our inside."""

import ipaddress
import socket
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from genpulse.adapters.network.public_address import (
    AddressRefused,
    PublicResolver,
    check_literal,
    is_public,
    public_socket,
)
from genpulse.domain.text.host_names import is_misleading


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address):
    assert is_public(address)
    check_literal(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
    ],
)
def test_addresses_that_are_refused(address):
    assert not is_public(address)
    with pytest.raises(AddressRefused, match="not a public address"):
        check_literal(address)


ODD = [
    "127.1",
    "127.0.1",
    "0",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "2852039166",
    "127.000.000.001",
    "0x7f.1",
    "0x7f000001",
    "0X7F.0.0.0x1",
    "127.0.0.1.",
    "8.8.8.8.",
    "8.8.8",
    "08.8.8.8",
    "8.8.8.0x8",
    "256.1.1.1",
    "1.2.3.4.5",
    "example.com.1",
    "example.0x",
    "99999999999999999999",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "127.0.0.\u2460",
]


@pytest.mark.parametrize("host", ODD)
def test_a_number_that_programs_read_in_different_ways_is_refused(host):
    assert is_misleading(host)
    with pytest.raises(AddressRefused, match="different ways"):
        check_literal(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "1.example", "0x.example", "example.0xg", "example.1a", "1e100.net", "a", ""]
)
def test_what_no_program_takes_for_another_address(host):
    assert not is_misleading(host)
    check_literal(host)


_PARTS = st.sampled_from(["{}", "0{:o}", "0x{:x}", "0X{:X}", "00{}", "{}."])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4), st.lists(_PARTS, min_size=4, max_size=4))
def test_no_notation_leads_inside(numbers, forms):
    host = ".".join(form.format(number) for form, number in zip(forms, numbers, strict=False))
    try:
        read = ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return
    if str(read) == host and is_public(host):
        check_literal(host)
    else:
        with pytest.raises(AddressRefused):
            check_literal(host)


@given(st.ip_addresses(v=4))
def test_no_disguise_changes_the_answer(address):
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{address}") == is_public(str(address))
    assert is_public(str(address)) or not is_public(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1")


async def test_a_name_that_leads_inside_is_refused():
    resolver = PublicResolver()
    with pytest.raises(AddressRefused, match="localhost leads to"):
        await resolver.resolve("localhost", 80)
    await resolver.close()


def test_a_name_is_left_to_the_resolver():
    check_literal("example.com")


class Liar(AbstractResolver):
    """A resolver that says what nobody has checked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(self, host, port=0, family=socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=_family(address), proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["0.0.0.0"]]
)
async def test_no_connection_leads_inside_whoever_has_resolved_the_name(raw, addresses):
    connector = aiohttp.TCPConnector(resolver=Liar(addresses), socket_factory=public_socket)
    port = raw.url.rpartition(":")[2]
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://public.example:{port}/")
    assert "not a public address" in str(caught.value.os_error)
    assert raw.asked == []


@pytest.mark.parametrize("host", ["127.1", "0177.0.0.1", "2130706433", "0", "127.0.0.1", "127.0.0.1.", "[::1]"])
async def test_nor_does_an_address_that_is_written_oddly(raw, host):
    connector = aiohttp.TCPConnector(resolver=Liar(["127.0.0.1"]), socket_factory=public_socket)
    port = raw.url.rpartition(":")[2]
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises((aiohttp.ClientConnectorError, aiohttp.InvalidURL)):
            await session.get(f"http://{host}:{port}/")
    assert raw.asked == []


def test_a_socket_for_a_public_address_is_one_of_its_family():
    with public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))) as sock:
        assert sock.family is socket.AF_INET
