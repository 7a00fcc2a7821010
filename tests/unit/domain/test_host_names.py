"""Names of hosts that somebody lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from genpulse.domain.text.host_names import parse_hosts


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", set()),
        (" , ", set()),
        ("files.example.com", {"files.example.com"}),
        (" Files.Example.COM. ,gpu-1:8188", {"files.example.com", "gpu-1:8188"}),
        ("127.0.0.1,127.0.0.1:8080", {"127.0.0.1", "127.0.0.1:8080"}),
        ("::1,[::1]:8080,[2001:DB8:0:0:0:0:0:1]", {"::1", "::1:8080", "2001:db8::1"}),
        ("bücher.example", {"xn--bcher-kva.example"}),
        ("comfy_ui", {"comfy_ui"}),
    ],
)
def test_hosts_are_read_as_an_address_has_them(text, hosts):
    assert parse_hosts(text) == hosts


@pytest.mark.parametrize(
    "host", ["files.example.com", "GPU-1", "10.0.0.7", "[::1]", "[2001:db8::1]", "bücher.example"]
)
def test_they_are_the_hosts_of_addresses(host):
    assert parse_hosts(host) == {URL(f"http://{host}/a.png").raw_host}
    url = URL(f"http://{host}:8080/a.png")
    assert parse_hosts(f"{host}:8080") == {f"{url.raw_host}:{url.port}"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://files.example.com", "more than a host"),
        ("files.example.com/results", "more than a host"),
        ("user@files.example.com", "more than a host"),
        ("*.example.com", "a pattern"),
        ("good.example, two words", "is no host"),
        ("-x", "is no host"),
        ("a..b", "is no host"),
        ("x" * 64, "is no host"),
        ("0x7f.1", "no IPv4 address"),
        ("2130706433", "no IPv4 address"),
        ("127.1", "no IPv4 address"),
        ("[::g]", "no IPv6 address"),
        ("1:2:3", "no IPv6 address"),
        ("host:", "no port"),
        ("host:0", "no port"),
        ("host:65536", "no port"),
        ("host:http", "no port"),
        ("host:²", "no port"),
    ],
)
def test_what_is_no_host_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        parse_hosts(text)


@given(st.text(max_size=40))
def test_any_text_is_hosts_or_refused(text):
    try:
        hosts = parse_hosts(text)
    except ValueError:
        return
    assert all(host == host.lower() and host.isascii() and host for host in hosts)
