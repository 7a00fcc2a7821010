"""The parts of a URL, as the standard library and as each driver find them."""

from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.addresses.query import Query
from genpulse.addresses.url import Url

SIGNS = st.text("ab1@:/?#,[]%&=.-", max_size=12)
LOGIN = st.text("ab1:%&=.-@,", max_size=12)
HOST = st.sampled_from(["a", "a.example:5432", "[2001:db8::1]", "[::1]:1", "10.0.0.1:6379", "", ":1"])
SEGMENT = st.text("ab1@:,.-", max_size=8)
QUERY = st.text("ab1@:/?,=.-", max_size=12)


@given(st.sampled_from(["redis", "postgresql", "https"]), SIGNS)
def test_any_text_is_divided_as_the_standard_library_does(scheme, rest):
    text = f"{scheme}://{rest}"
    try:
        wanted = urlsplit(text)
    except ValueError:
        return
    found = Url.of(text)
    authority = ("" if found.login is None else f"{found.login}@") + ",".join(found.hosts)
    assert (found.scheme, authority, found.path, found.fragment) == (
        wanted.scheme,
        wanted.netloc,
        wanted.path,
        wanted.fragment,
    )
    assert found.query.raw == tuple(part for part in wanted.query.split("&") if part)


@given(LOGIN, st.lists(HOST, min_size=1, max_size=3), SEGMENT, QUERY, QUERY)
def test_what_is_put_together_is_found_again(login, hosts, segment, query, fragment):
    """An `@` in a path, a query or a fragment ends no login, and one in a login leads to no other host."""
    text = f"redis://{login}@{','.join(hosts)}/{segment}?a={query}#{fragment}"
    found = Url.of(text)
    assert (found.login, found.hosts, found.path) == (login, tuple(hosts), f"/{segment}")
    assert (found.query.raw, found.fragment) == ((f"a={query}",), fragment)
    assert str(found) == (text if fragment else text.removesuffix("#"))


@given(st.text(max_size=12), st.text("ab1@:/?=.-", max_size=12))
def test_what_is_added_to_a_query_is_in_the_query(value, fragment):
    for text in ("postgresql://h/d", "postgresql://h?x=1", f"postgresql://u@h,i/d?x=@#{fragment}"):
        longer = Url.of(text).asking(Url.of(text).query.also("key", value))
        assert urlsplit(str(longer)).query.endswith(f"key={quote(value, safe='/:,')}")
        assert Url.of(str(longer)).query.get("key") == value
        assert urlsplit(str(longer)).fragment == urlsplit(text).fragment


@pytest.mark.parametrize("text", ["", "db.example/d", "file:folder", "r:6379"])
def test_what_is_no_url_has_no_scheme(text):
    assert Url.of(text).scheme == ""


def test_a_query_without_some_of_its_keys():
    assert str(Query("a=1&b=%40&a=2").without({"a"})) == "b=%40"
