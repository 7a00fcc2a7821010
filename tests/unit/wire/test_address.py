"""URLs that others have written."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genpulse.provider.http import PUBLIC, Reach, Request
from genpulse.provider.http.address import exact, is_under, joined, origin, plain_path

_TARGETS = st.text(st.sampled_from([*string.ascii_letters, *string.digits, *string.punctuation.replace("#", "")]))
_HOSTS = st.sampled_from(
    ["a.example", "A.Example:8443", "127.0.0.1:80", "[::1]", "[::1]:8080", "user:p%40w@h", "a_b"]
)


@given(st.sampled_from(["http", "https", "HTTPS"]), _HOSTS, _TARGETS, st.text())
def test_path_and_query_stay_as_they_are(scheme, host, target, fragment):
    url = exact(f"{scheme}://{host}/{target}#{fragment}")
    assert url.raw_path_qs == f"/{target}"
    assert url.scheme == scheme.lower()
    assert str(exact(str(url))) == str(url)


@given(st.text())
@example("http://[::1")
@example("http://a:99999/")
@example("http://%31%32%37.0.0.1/")
@example("http://a b/")
@example("http://a\\@b/")
@example("http://\ud83d/")
@example("http://a/\ud83d")
@example("http://" + "a" * 300 + "/")
@example("http://xn--/")
@example("http://.../")
@example("http://\u2100/")
def test_any_text_is_a_url_with_a_host_or_one_error(text):
    try:
        url = exact(text)
    except ValueError:
        return
    assert url.raw_host
    assert url.raw_path_qs.startswith("/")
    assert all("!" <= each <= "~" for each in url.raw_path_qs)


@given(_TARGETS.map(lambda text: text.replace("\\", "")), st.text())
def test_any_redirect_is_a_url_or_one_error(target, location):
    try:
        url = joined(exact(f"https://a.example/{target}"), location)
    except ValueError:
        return
    assert url.raw_host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.example/x",
        "/x",
        "//a.example/x",
        "https:a.example",
        "https:///x",
        "https://",
        "https://?x",
        "data:,x",
    ],
)
def test_what_names_no_host(text):
    with pytest.raises(ValueError, match="host"):
        exact(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://A.Example/x?y", "https://a.example:443"),
        ("http://user:pw@a.example:80/", "http://a.example:80"),
        ("http://[::1]/", "http://[::1]:80"),
        ("https://[0:0:0:0:0:0:0:1]:443/", "https://[::1]:443"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(text, expected):
    assert origin(exact(text)) == expected


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/", "/"),
        ("", "/"),
        ("/a/b/", "/a/b"),
        ("//a///b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/../../a", "/a"),
        ("/a/%2e%2E/b", "/b"),
        ("/a%2fb", "/a/b"),
        ("/a%252fb", "/a/b"),
        ("/a\\..\\b", "/b"),
        ("/a;x=1/b;y", "/a/b"),
        ("/a/..;/b", "/b"),
        ("/a/.%00./b", "/b"),
        ("/a/%2e%0a%2e%7f/b", "/b"),
        ("/a/%20../b", "/b"),
        ("/a?/../b", "/a"),
        ("/%61", "/a"),
        ("/a%3Fb", "/a?b"),
    ],
)
def test_a_path_as_the_most_lenient_server_reads_it(path, plain):
    assert plain_path(exact(f"https://a.example{path}")) == plain


def test_what_is_encoded_over_and_over_is_refused():
    url = exact("http://a.example/%" + "25" * 8_000 + "2e")
    with pytest.raises(ValueError, match="over and over"):
        plain_path(url)
    assert Reach(own="http://a.example", closed=("/v1",)).refuses(url)
    assert not Reach(own="http://b.example", closed=("/v1",)).refuses(url)
    assert plain_path(exact("http://a.example/%" + "25" * 7 + "2e%" + "25" * 7 + "2e/a")) == "/a"


def test_a_url_has_an_end():
    assert exact("https://a.example/" + "a" * 16_000)
    with pytest.raises(ValueError, match="16,384 characters"):
        exact("https://a.example/" + "a" * 17_000)


def test_a_prefix_is_a_whole_segment_and_holds_more_than_itself():
    assert is_under("/v1/files/a", "/v1/files/")
    assert is_under("/v1/files/a", "/v1/files")
    assert not is_under("/v1/files", "/v1/files/")
    assert not is_under("/v1/files", "/v1/files")
    assert not is_under("/v1/filesystem", "/v1/files")


@pytest.mark.parametrize("url", ["http://a.example/", "https://10.0.0.1/", "ftp://a.example/"])
def test_nothing_is_within_reach_by_itself(url):
    assert not PUBLIC.covers(exact(url))
    assert not PUBLIC.refuses(exact(url))


@pytest.mark.parametrize(
    ("url", "is_covered", "is_refused"),
    [
        ("http://10.0.0.5:8000/out/1", True, False),
        ("http://10.0.0.5:8000/v1/jobs", True, True),
        ("http://10.0.0.5:8000/V1", True, True),
        ("http://10.0.0.5:8000/v10", True, False),
        ("https://10.0.0.5:8000/out/1", False, False),
        ("http://10.0.0.5:8001/out/1", False, False),
        ("http://10.0.0.50:8000/out/1", False, False),
        ("http://files:9000/v1/jobs", True, False),
        ("https://files:9000/", True, False),
        ("http://files/", False, False),
        ("http://minio/", True, False),
        ("https://minio:9443/", True, False),
        ("http://minio.example/", False, False),
        ("ftp://minio/", False, False),
    ],
)
def test_what_is_within_reach(url, is_covered, is_refused):
    reach = Reach(frozenset({"files:9000", "minio"}), "http://10.0.0.5:8000/v1", ("/v1",))
    assert reach.covers(exact(url)) is is_covered
    assert reach.refuses(exact(url)) is is_refused


def test_a_slash_closes_all():
    assert Reach(own="http://a.example", closed=("/",)).refuses(exact("http://a.example/"))
    assert Reach(own="http://a.example", closed=("/",)).refuses(exact("http://a.example/x"))


@pytest.mark.parametrize(
    ("url", "address"), [("h/x#y", "h/x?c=d"), ("h/x?b=1#y?z", "h/x?b=1&c=d"), ("h#", "h?c=d")]
)
def test_a_query_stands_before_a_fragment(url, address):
    assert Request("GET", f"https://{url}", query={"c": "d"}).address == f"https://{address}"


def test_a_query_stands_behind_the_address():
    assert (
        Request("GET", "https://a.example/x?b=%2F", query={"c": "d&e"}).address
        == "https://a.example/x?b=%2F&c=d%26e"
    )
    assert Request("GET", "https://a.example/x?b=%2F").address == "https://a.example/x?b=%2F"
