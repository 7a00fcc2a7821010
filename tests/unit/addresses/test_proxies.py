"""Which proxy leads where, by the variables of a process."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.addresses.proxies import NO_PROXIES, Proxies, refusals

PROXY = "http://proxy.example:3128"


def to(variables, scheme="https", host="api.vendor.example", port=None):
    return Proxies.of(variables).to(scheme, host, port)


@pytest.mark.parametrize(
    ("variables", "by_http", "by_https"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": PROXY}, None, "HTTPS_PROXY"),
        ({"https_proxy": PROXY}, None, "https_proxy"),
        ({"HTTP_PROXY": PROXY}, "HTTP_PROXY", None),
        ({"ALL_PROXY": PROXY}, "ALL_PROXY", "ALL_PROXY"),
        ({"all_proxy": PROXY, "HTTPS_PROXY": PROXY}, "all_proxy", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://other:1", "https_proxy": PROXY}, None, "https_proxy"),
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, None, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None, None),
        ({"HTTPS_PROXY": "  "}, None, None),
    ],
)
def test_the_variables_count_in_both_ways_of_writing(variables, by_http, by_https):
    for schemes, variable in ((("http", "ws"), by_http), (("https", "wss"), by_https)):
        for scheme in schemes:
            found = to(variables, scheme)
            assert (found.variable if found else None) == variable


@pytest.mark.parametrize(
    ("value", "origin", "login"),
    [
        ("proxy", "http://proxy:80", None),
        ("proxy:3128", "http://proxy:3128", None),
        ("HTTP://Proxy:3128/", "http://proxy:3128", None),
        ("https://proxy", "https://proxy:443", None),
        ("http://[2001:db8::1]:8", "http://[2001:db8::1]:8", None),
        ("http://a%40b:p%3A%20w@proxy:1", "http://proxy:1", ("a@b", "p: w")),
        ("user@proxy:1", "http://proxy:1", ("user", "")),
    ],
)
def test_a_proxy_is_written_in_many_ways(value, origin, login):
    found = to({"HTTPS_PROXY": value})
    assert (found.origin, found.login) == (origin, login)
    assert not list(refusals({"HTTPS_PROXY": value}))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("socks5://user:secret@proxy:1080", "speaks socks5 cannot be used"),
        ("socks5h://proxy:1080", "speaks socks5h cannot be used"),
        ("ftp://proxy", "speaks ftp cannot be used"),
        ("http://user:secret@", "no address of a proxy"),
        ("http://proxy:99999", "no address of a proxy"),
        ("http://proxy:secret", "no address of a proxy"),
        ("http://pro xy:1", "no address of a proxy"),
        ("http://proxy:1/secret", "no address of a proxy"),
        ("http://[::1", "no address of a proxy"),
        ("http://proxy:0", "no address of a proxy"),
        ("http://user:123#secret@proxy:1", "no address of a proxy"),
        ("http://user:#secret@proxy:1", "no address of a proxy"),
        ("http://user:123?@proxy", "no address of a proxy"),
        ("user:secret://word@proxy:1", "no address of a proxy"),
        ("http://pro|xy:1", "no address of a proxy"),
        ("http://proxy,other:1", "no address of a proxy"),
        ("http://*:1", "no address of a proxy"),
        ("http://pro..xy:1", "no address of a proxy"),
        ("http://prüxy:1", "no address of a proxy"),
        ("http://%70roxy:1", "no address of a proxy"),
        ("http://[fe80::1%25eth0]:1", "no address of a proxy"),
    ],
)
def test_one_that_cannot_be_used_is_told_without_its_secrets(value, why):
    variables = {"ALL_PROXY": value}
    [(variable, said)] = refusals(variables)
    assert variable == "ALL_PROXY"
    assert why in said
    assert "secret" not in said
    assert not list(Proxies.of(variables))


def test_one_that_no_address_goes_by_is_not_told():
    assert not list(refusals({"ALL_PROXY": "socks5://p", "HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}))
    assert not list(refusals({"ALL_PROXY": "socks5://p", "NO_PROXY": "a, *"}))


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_excluded"),
    [
        ("vendor.example", "vendor.example", 443, True),
        ("vendor.example", "api.vendor.example", 443, True),
        (".vendor.example", "api.vendor.example", 443, True),
        (".vendor.example", "vendor.example", 443, True),
        ("*.vendor.example", "api.vendor.example", 443, True),
        ("VENDOR.example", "Api.Vendor.Example.", 443, True),
        ("vendor.example", "othervendor.example", 443, False),
        ("vendor.example", "vendor.example.org", 443, False),
        ("vendor.example:8443", "vendor.example", 443, False),
        ("vendor.example:8443", "vendor.example", 8443, True),
        ("vendor.example:443", "vendor.example", None, True),
        ("a, b ,vendor.example", "vendor.example", 443, True),
        ("a b vendor.example", "vendor.example", 443, True),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", "name.example", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.1.2.3:80", "10.1.2.3", 443, False),
        ("3", "10.1.2.3", 443, False),
        (".2.3", "10.1.2.3", 443, False),
        ("*.2.3", "10.1.2.3", 443, False),
        ("10.1.2", "10.1.2.3", 443, False),
        ("2001:db8::/32", "[2001:db8::7]", 443, True),
        ("[2001:db8::7]:443", "2001:db8:0::7", 443, True),
        ("2001:db8::7", "[2001:db8::7]", 443, True),
        ("", "vendor.example", 443, False),
        (".", "vendor.example", 443, False),
        ("/", "vendor.example", 443, False),
        ("*", "anything.example", 1, True),
    ],
)
def test_what_no_proxy_means(entry, host, port, is_excluded):
    for name in ("NO_PROXY", "no_proxy"):
        assert (to({"HTTPS_PROXY": PROXY, name: entry}, "https", host, port) is None) == is_excluded


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "169.254.169.254"]
)
def test_this_machine_is_never_reached_by_a_proxy(host):
    assert to({"ALL_PROXY": PROXY}, "http", host) is None


def test_nothing_goes_by_none():
    assert NO_PROXIES.to("https", "api.vendor.example", None) is None
    assert not list(NO_PROXIES)


def test_words_hold_no_login():
    proxy = to({"HTTPS_PROXY": "http://user:secret@proxy:1"})
    said = [str(proxy), repr(proxy), proxy.refusal("x:443", 407, "No"), proxy.absence("x:443", "gone")]
    assert all("HTTPS_PROXY" in each and "secret" not in each and "user:s" not in each for each in said)


@given(
    st.dictionaries(
        st.sampled_from(["HTTP_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"]),
        st.text(st.characters(codec="utf-8"), max_size=40)
        | st.sampled_from(["[", "http://[", "1/", "[::1]:", "::"]),
    ),
    st.text(max_size=20) | st.ip_addresses().map(str),
    st.integers(0, 70_000) | st.none(),
)
def test_no_text_of_a_variable_breaks_anything(variables, host, port):
    proxies = Proxies.of(variables)
    wrong = dict(refusals(variables))
    for scheme in ("http", "https", "ws", "wss", "ftp"):
        found = proxies.to(scheme, host, port)
        assert found is None or (found.host and found.variable not in wrong)


@given(st.ip_addresses(), st.integers(0, 32))
def test_a_network_excludes_what_is_in_it(address, bits):
    network = ipaddress.ip_network((address, bits), strict=False)
    assert to({"ALL_PROXY": PROXY, "NO_PROXY": str(network)}, "http", str(address)) is None
