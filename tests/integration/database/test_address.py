"""Addresses of PostgreSQL: one host or several."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.adapters.postgresql.address import dial
from genpulse.addresses.postgresql import BadDatabaseAddress, host_by_host, plain, refusal
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable

WRITABLE = "target_session_attrs=read-write"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@a:1/d", "postgresql://u:p@a:1/d"),
        ("postgresql+asyncpg://u:p@a/d?sslmode=require", "postgresql://u:p@a/d?sslmode=require"),
        ("postgresql://u:p@a,b/d", f"postgresql://u:p@a,b/d?{WRITABLE}"),
        ("postgresql://u:p@a:1,b:2/d?sslmode=require", f"postgresql://u:p@a:1,b:2/d?sslmode=require&{WRITABLE}"),
        ("postgresql://u:p@a,b/d?target_session_attrs=any", "postgresql://u:p@a,b/d?target_session_attrs=any"),
        ("postgresql://u:p@[::1]:1,[::2]:2/d", f"postgresql://u:p@[::1]:1,[::2]:2/d?{WRITABLE}"),
        ("postgresql:///d?host=a,b", f"postgresql:///d?host=a,b&{WRITABLE}"),
        ("postgresql://u:with,comma@a/d,e", "postgresql://u:with,comma@a/d,e"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=/run/postgresql"),
    ],
)
def test_several_hosts_mean_the_one_that_takes_writes(url, expected):
    assert plain(url) == expected
    assert plain(expected) == expected


@pytest.mark.parametrize(
    ("url", "each"),
    [
        ("postgresql://u:p@a/d", ("postgresql://u:p@a/d",)),
        (
            f"postgresql://u:p@a:1,b/d?{WRITABLE}",
            (f"postgresql://u:p@a:1/d?{WRITABLE}", f"postgresql://u:p@b/d?{WRITABLE}"),
        ),
        ("postgresql://u:p@[::1]:1,[::2]/d", ("postgresql://u:p@[::1]:1/d", "postgresql://u:p@[::2]/d")),
        (
            "postgresql://a,b?target_session_attrs=prefer-standby",
            ("postgresql://a,b?target_session_attrs=prefer-standby",),
        ),
        ("postgresql:///d?host=a,b", ("postgresql:///d?host=a,b",)),
    ],
)
def test_hosts_are_tried_one_after_the_other(url, each):
    assert host_by_host(url) == each


@given(st.one_of(st.text(max_size=80), st.text(max_size=80).map("postgresql://".__add__)))
def test_no_text_is_too_odd_to_be_refused_as_an_address(text):
    if why := refusal(text):
        with pytest.raises(BadDatabaseAddress, match="Expected such as postgresql://"):
            plain(text)
        assert len(why) < 150
    else:
        assert host_by_host(plain(text))


async def test_each_host_is_named_with_what_was_wrong():
    ports = free_port(), free_port()
    with pytest.raises(DatabaseUnavailable) as away:
        await dial(f"postgresql://u:secret@127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}/d")
    assert all(f"127.0.0.1:{port}: " in str(away.value) for port in ports)
    assert "secret" not in str(away.value)


async def test_a_host_that_swallows_packets_keeps_nobody_from_the_next(database_url):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = await dial(database_url.replace("@", f"@127.0.0.1:{silent.getsockname()[1]},"))
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_what_hosted_vendors_print_to_copy_reaches_the_server(migrated_url):
    mark = "&" if "?" in migrated_url else "?"
    asked = "channel_binding=prefer&connect_timeout=10&keepalives=1&gssencmode=disable&application_name=x"
    connection = await dial(f"{migrated_url}{mark}{asked}")
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
