"""A stranger's word about where a result is gets neither our key nor into our inside."""

from contextlib import suppress

import pytest

from genpulse.adapters.http.http_client import HttpClient
from genpulse.domain.errors import OutputUnavailable
from genpulse.provider.account import Account
from genpulse.provider.http import Reach
from tests.fakes.raw import RawServer, ok, redirect
from tests.integration.http.conftest import bytes_of

KEY = {"Authorization": "Bearer secret-of-ours"}

WITH_KEY = [
    "/v1/files/abc/fox.png",
    "/v1/files/abc?sig=%2F",
    "/v1/files/a%20b",
]
WITHOUT_KEY = [
    "/output/1.png",
    "/",
    "/v2/predictions",
    "/v1x/files/a",
    "/files/abc",
    "/output?next=/v1/predictions",
    "/v1/../output/1",
    "/%2e%2e/output",
]
REFUSED = [
    "/v1/predictions",
    "/v1/predictions?limit=100",
    "/v1",
    "/v1/",
    "/V1/Predictions",
    "/v1/account",
    "/v1/files",
    "/v1/files/",
    "/v1/files?cursor=x",
    "/v1/files/.",
    "/v1/files/./",
    "/v1/files/..",
    "/v1/files/../predictions",
    "/v1/files/x/../../predictions",
    "/v1/files/%2e%2e/predictions",
    "/v1/files/%2E./predictions",
    "/v1/files/..%2fpredictions",
    "/v1/files/..%2Fpredictions",
    "/v1/files/%252e%252e%252fpredictions",
    "/v1/files/%25252e%25252e/predictions",
    "/v1/files/..\\predictions",
    "/v1/files/..%5cpredictions",
    "/v1/files/..;/predictions",
    "/v1/files/..;x=y/predictions",
    "//v1/predictions",
    "/v1//predictions",
    "/./v1/predictions",
    "/%76%31/predictions",
    "/v%31/predictions",
    "/v1;x/predictions",
    "/output/../v1/predictions",
    "/output/%2e%2e/v1/predictions",
    "/v1%2fpredictions",
    "/%2fv1/predictions",
    "\\v1\\predictions",
    "/%" + "25" * 20 + "2e./v1/predictions",
    "/output/" + "x" * 20_000,
]


def account_at(http, url, **changes) -> Account:
    given = {"result_paths": ("/v1/files/",), "api_paths": ("/v1",)} | changes
    return Account(http, url, KEY, **given)


async def keys_of(raw: RawServer, chunks) -> list[str | None]:
    """With which credentials it was asked; none where it was refused."""
    with suppress(OutputUnavailable):
        await bytes_of(chunks)
    return [asked.headers.get("authorization") for asked in raw.asked]


@pytest.mark.parametrize("target", WITH_KEY)
async def test_results_that_the_vendor_serves_itself_are_fetched_with_the_key(http, raw, target):
    assert await keys_of(raw, account_at(http, raw.url).fetch_public(raw.url + target)) == [KEY["Authorization"]]


@pytest.mark.parametrize("target", WITHOUT_KEY)
async def test_all_else_at_the_vendors_host_is_fetched_without(http, raw, target):
    assert await keys_of(raw, account_at(http, raw.url).fetch_public(raw.url + target)) == [None]


@pytest.mark.parametrize("target", REFUSED)
async def test_what_answers_about_the_account_is_not_asked(http, raw, target):
    assert await keys_of(raw, account_at(http, raw.url).fetch_public(raw.url + target)) == []


@pytest.mark.parametrize("target", REFUSED)
async def test_nor_by_a_redirect(http, raw, target):
    raw.answer = lambda asked: (
        redirect(f"{raw.url}{target}") if asked.target == "/output/r" else ok(b"all prompts")
    )
    assert await keys_of(raw, account_at(http, raw.url).fetch_public(f"{raw.url}/output/r")) == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/v1/files/other", "/v1/predictions", "/output/1", "//elsewhere.example/"])
async def test_a_redirect_takes_no_key_along(http, raw, target, status):
    raw.answer = lambda asked: redirect(target, status) if asked.target == "/v1/files/r" else ok(b"x")
    keys = await keys_of(raw, account_at(http, raw.url).fetch_public(f"{raw.url}/v1/files/r"))
    assert keys[0] == KEY["Authorization"]
    assert set(keys[1:]) <= {None}
    assert len(keys) == (2 if target == "/output/1" else 1)


@pytest.mark.parametrize(
    "form",
    [
        "HTTP://{host}:{port}/v1/predictions",
        "http://somebody@{host}:{port}/v1/predictions",
        "http://a:b@{host}:{port}/v1/predictions",
        "http://a:b@{host}:{port}/v1/files/x",
        "http://{host}:0{port}/v1/predictions",
        "  http://{host}:{port}/v1/predictions",
        "http://{host}:{port}\\@elsewhere.example/v1/predictions",
        "https://{host}:{port}/v1/predictions",
        "http://localhost:{port}/v1/predictions",
        "http://127.1:{port}/v1/predictions",
        "http://2130706433:{port}/v1/predictions",
        "http://{host}.:{port}/v1/predictions",
        "http://[::ffff:{host}]:{port}/v1/predictions",
        "http://{host}:{port}?/v1/files/x/../../predictions",
        "http:{host}:{port}/v1/predictions",
        "//{host}:{port}/v1/predictions",
        "/v1/predictions",
        "v1/predictions",
        "file:///etc/passwd",
        "ftp://{host}:{port}/v1/files/x",
        "gopher://{host}:{port}/",
    ],
)
async def test_no_other_name_of_the_host_gets_the_key(http, raw, form):
    host, _, port = raw.url.removeprefix("http://").partition(":")
    keys = await keys_of(raw, account_at(http, raw.url).fetch_public(form.format(host=host, port=port)))
    assert KEY["Authorization"] not in keys
    assert all("predictions" not in target.partition("?")[0] for target in raw.targets)


async def test_without_a_word_about_it_nothing_below_the_base_url_is_a_result(http, raw):
    account = Account(http, f"{raw.url}/api", KEY)
    assert await keys_of(raw, account.fetch_public(f"{raw.url}/api/jobs")) == []
    assert await keys_of(raw, account.fetch_public(f"{raw.url}/apix/jobs")) == [None]
    whole = Account(http, raw.url, KEY)
    raw.asked.clear()
    assert await keys_of(raw, whole.fetch_public(f"{raw.url}/anything")) == []
    assert await keys_of(raw, whole.fetch_own("/anything")) == [KEY["Authorization"]]


@pytest.mark.parametrize(
    ("hosts", "fits"), [("localhost", True), ("localhost:{port}", True), ("localhost:1", False), ("", False)]
)
async def test_a_host_that_an_operator_allows_gets_no_key(http, raw, hosts, fits):
    port = raw.url.rpartition(":")[2]
    allowed = frozenset({hosts.format(port=port)} - {""})
    account = Account(http, "https://api.vendor.example", KEY, allowed_hosts=allowed)
    url = f"http://localhost:{port}/generated/1.png"
    assert await keys_of(raw, account.fetch_public(url)) == ([None] if fits else [])
    raw.asked.clear()
    elsewhere = RawServer()
    async with elsewhere.running():
        raw.answer = lambda _: redirect(f"{elsewhere.url}/inside")
        await keys_of(raw, account.fetch_public(url))
        assert elsewhere.asked == []


async def test_public_means_https_on_a_public_address(http, raw):
    port = raw.url.rpartition(":")[2]
    for url in (
        raw.url,
        f"https://127.0.0.1:{port}",
        f"https://localhost:{port}",
        f"https://[::1]:{port}",
        f"http://8.8.8.8:{port}/",
    ):
        with pytest.raises(OutputUnavailable):
            await bytes_of(http.fetch_public(url, reach=Reach()))
    assert raw.asked == []


@pytest.mark.parametrize(
    "url", ["https://127.1/x", "https://0x7f000001/x", "https://2852039166/latest", "https://127.0.0.1./"]
)
async def test_an_address_in_another_notation_is_refused_by_our_own_rule(http: HttpClient, url):
    with pytest.raises(OutputUnavailable, match="different ways"):
        await bytes_of(http.fetch_public(url))
