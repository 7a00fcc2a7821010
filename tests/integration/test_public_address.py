"""Whoever submits a task chooses the URL, and must not reach our inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.adapters.public_address import AddressRefused, PublicResolver, check_literal, is_public


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
