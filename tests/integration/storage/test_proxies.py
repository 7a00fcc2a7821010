"""A store behind a proxy, by the same rule as everything else and whatever the process's variables are."""

import pytest

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.adapters.storage.opening import open_store, proxy_of
from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import StorageUnavailable
from tests.fakes.proxy import FakeProxy
from tests.fakes.raw import RawServer, answer

KEYS = {"access_key_id": "id", "secret_access_key": "secret", "region": "us-east-1"}
ENDPOINT = {**KEYS, "endpoint": "http://s3.store.example"}


@pytest.fixture
async def store():
    """Takes whatever it is given, and has nothing."""
    server = RawServer()
    server.answer = lambda asked: answer(404 if asked.method == "HEAD" else 200, headers={"ETag": '"x"'})
    async with server.running():
        yield server


@pytest.fixture
async def proxy(store):
    async with FakeProxy({"s3.store.example:80": store.port}).running() as fake:
        yield fake


async def keep(proxies, options, tmp_path):
    storage = ObjectStorage("s3://bucket/prefix", spool_dir=tmp_path, options=options, proxies=proxies)
    try:
        return await storage.probe()
    finally:
        await storage.close()


async def test_it_is_reached_by_the_proxy(store, proxy, tmp_path):
    assert (await keep(proxy.proxies(), ENDPOINT, tmp_path)).state == "ok"
    assert proxy.targets == ["PUT http://s3.store.example/bucket/prefix/probe"]
    assert len(store.asked) == 1


async def test_the_login_goes_to_the_proxy_alone(store, proxy, tmp_path):
    proxy.login = ("a@b", "p:w")
    assert (await keep(proxy.proxies(login="a%40b:p%3Aw@"), ENDPOINT, tmp_path)).state == "ok"
    assert "proxy-authorization" not in store.asked[0].headers


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_variables_of_the_process_change_nothing_by_themselves(
    store, proxy, tmp_path, monkeypatch, variable
):
    monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    here = {**KEYS, "endpoint": store.url}
    assert (await keep(NO_PROXIES, here, tmp_path)).state == "ok"
    assert proxy.asked == []


@pytest.mark.parametrize("excluded", ["", "elsewhere.example"])
async def test_one_on_this_machine_is_reached_without(store, proxy, tmp_path, excluded):
    here = {**KEYS, "endpoint": store.url.replace("127.0.0.1", "localhost")}
    assert (await keep(proxy.proxies(excluded=excluded), here, tmp_path)).state == "ok"
    assert proxy.asked == []


async def test_one_in_capitals_is_an_address_as_well(store, tmp_path):
    assert (
        await keep(NO_PROXIES, {**KEYS, "endpoint": store.url.replace("http", "HTTP")}, tmp_path)
    ).state == "ok"


@pytest.mark.parametrize(
    ("endpoint", "refusal", "words"),
    [
        (
            "http",
            answer(407),
            "HTTP_PROXY.*does not let the storage be reached.*the login in HTTP_PROXY is missing",
        ),
        (
            "https",
            answer(407),
            "HTTPS_PROXY.*does not let the storage be reached.*the login in HTTPS_PROXY is missing",
        ),
        (
            "https",
            answer(403),
            r"The proxy .*\(HTTPS_PROXY\) gave no way to the storage: it refused the connection",
        ),
    ],
)
async def test_what_the_proxy_refuses_is_told_by_its_variable(proxy, tmp_path, endpoint, refusal, words):
    proxy.refusal = lambda _: refusal
    storage = ObjectStorage(
        "s3://bucket", spool_dir=tmp_path, options={**KEYS, "endpoint": f"{endpoint}://s3.store.example"},
        proxies=proxy.proxies(),
    )  # fmt: skip
    with pytest.raises(StorageUnavailable, match=words):
        await storage.keep(b"x")
    await storage.close()


async def test_a_proxy_that_is_away_is_told_by_its_variable(tmp_path):
    proxies = Proxies.of({"ALL_PROXY": f"http://user:secret@127.0.0.1:{free_port()}"})
    storage = ObjectStorage("s3://bucket", spool_dir=tmp_path, options=KEYS, proxies=proxies)
    with pytest.raises(StorageUnavailable, match=r"ALL_PROXY\) gave no way to the storage: .*NO_PROXY") as caught:
        await storage.keep(b"x")
    await storage.close()
    assert "secret" not in str(caught.value)


async def removed(store, proxy, options, tmp_path):
    """What a store is asked for that knows no call for many at once."""
    store.answer = lambda asked: answer(501 if asked.method == "POST" else 204)
    storage = ObjectStorage(
        "s3://bucket", spool_dir=tmp_path, options=options, proxies=proxy.proxies(login="a:b@")
    )
    try:
        await storage.remove(["one", "other"])
    finally:
        await storage.close()
    return [(asked.method, asked.target.partition("?")[0]) for asked in store.asked if asked.method == "DELETE"]


async def test_objects_are_removed_one_by_one_by_the_proxy_as_well(store, proxy, tmp_path):
    proxy.login = ("a", "b")
    assert await removed(store, proxy, ENDPOINT, tmp_path) == [
        ("DELETE", "/bucket/one"),
        ("DELETE", "/bucket/other"),
    ]
    assert all("proxy-authorization" not in asked.headers for asked in store.asked)


async def test_objects_of_a_store_with_tls_are_removed_through_a_tunnel(store, proxy, tmp_path):
    """Which the proxy refuses here: more than that it is asked for one cannot be seen without a certificate."""
    proxy.refusal = lambda asked: answer(403) if asked.method == "CONNECT" else None
    with pytest.raises(StorageUnavailable):
        await removed(store, proxy, {**KEYS, "endpoint": "https://s3.store.example"}, tmp_path)
    assert set(proxy.targets) == {"CONNECT s3.store.example:443"}
    assert len(proxy.targets) > 2


@pytest.mark.parametrize("excluded", ["*.amazonaws.com", ".amazonaws.com", "s3.us-east-1.amazonaws.com", "*"])
async def test_a_clouds_own_host_may_be_excluded(proxy, tmp_path, excluded):
    health = await keep(proxy.proxies(excluded=excluded), KEYS, tmp_path)
    assert (health.state, "_PROXY" in health.detail) == ("down", False)
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("url", "options", "host"),
    [
        ("s3://bucket", {"region": "eu-west-3"}, "s3.eu-west-3.amazonaws.com"),
        ("s3://bucket", {"endpoint": "https://s3.store.example"}, "s3.store.example"),
        ("az://container", {"account_name": "ours", "account_key": "b3Vycw=="}, "ours.blob.core.windows.net"),
        ("gs://bucket", {}, "storage.googleapis.com"),
    ],
)
def test_a_proxy_is_told_of_where_the_client_asks_it_alone(url, options, host):
    def by(excluded):
        proxies = Proxies.of({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": excluded})
        return proxy_of(open_store(url, options, proxies=proxies), proxies)

    assert (by(host), by("elsewhere.example") is not None) == (None, True)
