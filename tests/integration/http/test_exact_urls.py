"""A URL of a vendor goes over the wire as it came: a signature is over its bytes."""

import asyncio
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.adapters.http.http_client import HttpClient
from genpulse.provider.account import Account
from genpulse.provider.http import Reach, Request
from tests.drawn import examples
from tests.fakes.raw import RawServer, ok, redirect
from tests.integration.http.conftest import bytes_of

AS_THEY_ARE = [
    "/",
    "/a.png",
    "/signed/a%28b%29%40c%27.png?sig=a%2Fb%2Bc%3D&x=%20",
    "/a(b)@c'.png",
    "/a%2Fb%2fb%5C",
    "/a%41%61%7E~%2D-",
    "/a+b?c+d=e+f%2B",
    "/a;b=1;c?d;e",
    "/a?",
    "/a?b=",
    "/a?=&&",
    "/a?b?c/d:e@f",
    "//double//slashes//",
    "/./a/../b/%2e%2e/c",
    '/a,b!$&*=:@|^`{}[]<>"',
    "/%",
    "/%zz%2",
    "/%F0%9F%A6%8A",
    "/%ff%fe",
    "/a?X-Amz-Signature=0aF%2B&X-Amz-Date=2026",
    "?only=query",
]
ENCODED = [
    ("/ä 🦊?ö=ü", "/%C3%A4%20%F0%9F%A6%8A?%C3%B6=%C3%BC"),
    ("/a b", "/a%20b"),
    ("/a\tb\nc", "/a%09b%0Ac"),
    ("/%C3%A4ä", "/%C3%A4%C3%A4"),
    ("/a\udcff", "/a%FF"),
]


def asked_for(target: str) -> str:
    return target if target.startswith("/") else f"/{target}"


def within(raw: RawServer) -> Reach:
    return Reach(own=raw.url)


@pytest.mark.parametrize("fragment", ["", "#", "#a%2Fb?c#d"])
@pytest.mark.parametrize("target", AS_THEY_ARE)
async def test_a_url_of_somebody_else(http, raw, target, fragment):
    await bytes_of(http.fetch_public(f"{raw.url}{target}{fragment}", reach=within(raw)))
    assert raw.targets == [asked_for(target)]


@pytest.mark.parametrize(("target", "expected"), ENCODED)
async def test_only_what_no_url_may_hold_is_encoded(http, raw, target, expected):
    await bytes_of(http.fetch_public(f"  {raw.url}{target}\n", reach=within(raw)))
    assert raw.targets == [expected]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_absolute", [True, False])
@pytest.mark.parametrize("target", [target for target in AS_THEY_ARE if target[:2] not in {"//"}])
async def test_a_redirect(http, raw, target, is_absolute, status):
    raw.answer = lambda asked: (
        redirect(f"{raw.url if is_absolute else ''}{target}", status) if asked.target == "/first" else ok(b"x")
    )
    await bytes_of(http.fetch_public(f"{raw.url}/first", reach=within(raw)))
    expected = asked_for(target) if is_absolute or target.startswith("/") else f"/first{target}"
    assert raw.targets == ["/first", expected]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("next.png?a=%2F", "/folder/next.png?a=%2F"),
        ("../up/%28", "/up/%28"),
        ("./x;y", "/folder/x;y"),
        ("?b=%2B", "/folder/first?b=%2B"),
        ("/ä?ö", "/%C3%A4?%C3%B6"),
        ("  /spaces  ", "/spaces"),
        ("/a#fragment", "/a"),
        ("/a?sig=" + "%2F" * 4_000, "/a?sig=" + "%2F" * 4_000),
    ],
)
async def test_a_relative_redirect(http, raw, location, expected):
    raw.answer = lambda asked: redirect(location) if asked.target == "/folder/first?q" else ok(b"x")
    await bytes_of(http.fetch_public(f"{raw.url}/folder/first?q", reach=within(raw)))
    assert raw.targets == ["/folder/first?q", expected]


async def test_a_redirect_without_a_scheme_keeps_that_of_before(http, raw):
    place = raw.url.removeprefix("http:")
    raw.answer = lambda asked: redirect(f"{place}/b%2F") if asked.target == "/a" else ok(b"x")
    await bytes_of(http.fetch_public(f"{raw.url}/a", reach=within(raw)))
    assert raw.targets == ["/a", "/b%2F"]


@pytest.mark.parametrize("path", ["/v1/jobs/a%23b%2Fc%20d%2Be", "/v1/%28x%29", "/v1/jobs/..%2F"])
async def test_a_path_of_an_adapter(http, raw, path):
    account = Account(http, raw.url, query={"api-version": "2026-01 preview"})
    await account.ask("GET", path)
    await bytes_of(account.fetch_own(path))
    assert raw.targets == [f"{path}?api-version=2026-01+preview"] * 2


async def test_a_query_goes_behind_one_that_is_there(http, raw):
    await http.send(Request("GET", f"{raw.url}/a?b=%2F", query={"c": "d&e"}))
    await http.send(Request("GET", f"{raw.url}/a?b=%2F"))
    assert raw.targets == ["/a?b=%2F&c=d%26e", "/a?b=%2F"]


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(
        st.sampled_from(
            string.digits + string.ascii_letters + string.punctuation.replace("#", "").replace("\\", "")
        )
    )
)
def test_any_target_comes_through_unchanged(target):
    async def fetched() -> list[str]:
        async with RawServer().running() as raw:
            http = HttpClient("1.0")
            raw.answer = lambda asked: redirect(f"{raw.url}/{target}") if len(raw.asked) == 1 else ok(b"x")
            await bytes_of(http.fetch_public(f"{raw.url}/!", reach=Reach(own=raw.url)))
            await http.close()
            return raw.targets

    assert asyncio.run(fetched()) == ["/!", f"/{target}"]
