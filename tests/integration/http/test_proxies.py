"""Vendors behind a proxy: what it lets through arrives, and what it refuses was never sent."""

import pytest
import uvloop

from genpulse.adapters.http.http_client import HttpClient
from genpulse.addresses.proxies import Proxies
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import OutputUnavailable, ProviderUnavailable, ProviderUnreachable
from genpulse.provider.http import AnswerLost, Request
from tests.certificates import of_server, trusting, write_certificate
from tests.fakes.proxy import FakeProxy
from tests.fakes.raw import RawServer, answer, ok
from tests.integration.http.conftest import bytes_of
from tests.integration.name_server import name_server

VENDOR = "api.vendor.example"
ORDER = {"Authorization": "Bearer secret"}
WAYS = ("http", "https")
REFUSALS = {
    "407": (answer(407), "did not|does not let"),
    "403": (answer(403), "answered 403 Whatever; let the proxy allow it, or name the host in NO_PROXY"),
    "502": (answer(502), "answered 502 Whatever; ask whoever looks after the proxy"),
    "closed": (b"", "gave no way"),
    "half": (b"HTTP/1.1 200 Conn", "gave no way"),
    "half a head": (b"HTTP/1.1 200 OK\r\n", "gave no way to https://.*: the connection was closed in the middle"),
    "another protocol": (b"SSH-2.0-OpenSSH\r\n", "gave no way to https://.*: Bad status line: Expected HTTP/"),
    "noise": (b"\x15\x03\x01\x00\x02\x02\x46", "gave no way|answered 400"),
}


@pytest.fixture
def certificate(tmp_path):
    return write_certificate(tmp_path / "vendor.pem", VENDOR, "files.vendor.example")


@pytest.fixture
async def vendors(certificate):
    """One without TLS and one with it."""
    plain, secure = RawServer(), RawServer()
    async with plain.running(), secure.running(tls=of_server(certificate)):
        yield {"http": plain, "https": secure}


@pytest.fixture
async def proxy(vendors):
    ports = {
        f"{host}:{port}": vendors[way].port
        for host in (VENDOR, "files.vendor.example")
        for way, port in (("http", 80), ("https", 443))
    }
    async with FakeProxy(ports).running() as fake:
        yield fake


@pytest.fixture
async def client(certificate):
    opened = []

    def client(proxies, **options) -> HttpClient:
        opened.append(HttpClient("1", proxies=proxies, tls=trusting(certificate), **options))
        return opened[-1]

    yield client
    for each in opened:
        await each.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("own_connection", [False, True])
async def test_an_order_goes_by_the_proxy(vendors, proxy, client, way, own_connection):
    vendors[way].answer = lambda _: answer(201, b"{}")
    http = client(proxy.proxies())
    request = Request("POST", f"{way}://{VENDOR}/jobs?a=%2F", ORDER, json={"a": 1}, own_connection=own_connection)
    assert (await http.send(request)).status == 201
    [asked] = vendors[way].asked
    assert (asked.target, asked.body, asked.headers["host"]) == ("/jobs?a=%2F", b'{"a": 1}', VENDOR)
    expected = f"CONNECT {VENDOR}:443" if way == "https" else f"POST http://{VENDOR}/jobs?a=%2F"
    assert proxy.targets == [expected]
    if way == "https":
        assert "authorization" not in proxy.asked[0].headers


@pytest.mark.parametrize("way", WAYS)
async def test_the_login_of_a_proxy_goes_to_it_alone(vendors, proxy, client, way):
    proxy.login = ("a@b", "p:w ü")
    http = client(proxy.proxies(login="a%40b:p%3Aw%20%C3%BC@"))
    assert (await http.send(Request("POST", f"{way}://{VENDOR}/jobs", json={}))).status == 200
    assert "proxy-authorization" not in vendors[way].asked[0].headers


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("login", "words"), [("", "is missing"), ("u:wrong@", "is not the one that it wants")])
async def test_a_login_that_the_proxy_does_not_know_is_told_by_its_variable(
    vendors, proxy, client, way, login, words
):
    proxy.login = ("user", "secret")
    with pytest.raises(ProviderUnreachable) as caught:
        await client(proxy.proxies(login=login)).send(Request("POST", f"{way}://{VENDOR}/jobs", json={}))
    said = str(caught.value)
    assert f"the login in {way.upper()}_PROXY {words}: user:password@ stands before its host" in said
    assert f"does not let {way}://{VENDOR}" in said
    assert "wrong" not in said
    assert vendors[way].asked == []


@pytest.mark.parametrize("what", REFUSALS)
async def test_what_a_proxy_refused_was_never_sent(vendors, proxy, client, what):
    bytes_, words = REFUSALS[what]
    proxy.refusal = lambda _: bytes_
    with pytest.raises(ProviderUnreachable, match=words) as caught:
        await client(proxy.proxies()).send(Request("POST", f"https://{VENDOR}/jobs", json={}))
    assert str(caught.value).startswith("The proxy http://127.0.0.1:")
    assert "(HTTPS_PROXY)" in str(caught.value)
    assert vendors["https"].asked == []


async def test_nor_was_it_where_the_proxy_never_answers(proxy, client):
    proxy.is_silent = True
    with pytest.raises(ProviderUnreachable, match="HTTPS_PROXY"):
        await client(proxy.proxies()).send(Request("POST", f"https://{VENDOR}/jobs", json={}, timeout_s=0.3))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["127.0.0.1:{port}", "nowhere.invalid:3128"])
async def test_a_proxy_that_is_away_is_told_by_its_variable(client, way, where):
    url = f"http://user:secret@{where.format(port=free_port())}"
    with pytest.raises(ProviderUnreachable, match=r"ALL_PROXY.*NO_PROXY") as caught:
        await client(Proxies.of({"ALL_PROXY": url})).send(Request("POST", f"{way}://{VENDOR}/jobs", json={}))
    assert "secret" not in str(caught.value)


async def test_a_vendor_behind_it_that_nobody_trusts_is_no_fault_of_the_proxy(proxy):
    http = HttpClient("1", proxies=proxy.proxies())
    with pytest.raises(ProviderUnreachable, match="certificate") as caught:
        await http.send(Request("POST", f"https://{VENDOR}/jobs", json={}))
    await http.close()
    assert "_PROXY" not in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_gets_lost_behind_the_proxy_may_have_been_an_order(vendors, proxy, client, way):
    vendors[way].answer = lambda _: b""
    with pytest.raises(AnswerLost):
        await client(proxy.proxies()).send(Request("POST", f"{way}://{VENDOR}/jobs", json={}))
    assert len(vendors[way].asked) == 1


@pytest.mark.parametrize("excluded", [VENDOR, "vendor.example", ".example", "*"])
async def test_what_no_proxy_names_goes_by_itself(proxy, client, excluded):
    with pytest.raises(ProviderUnreachable) as caught:
        await client(proxy.proxies(excluded=excluded)).send(Request("POST", f"https://{VENDOR}/jobs", json={}))
    assert "proxy" not in str(caught.value)
    assert proxy.asked == []


async def test_this_machine_is_asked_without(vendors, proxy, client):
    assert (await client(proxy.proxies()).send(Request("GET", vendors["http"].url))).status == 200
    assert proxy.asked == []


async def test_a_proxy_may_speak_tls_itself(vendors, client, certificate):
    fake = FakeProxy({f"{VENDOR}:443": vendors["https"].port})
    async with fake.running(tls=of_server(certificate)):
        http = client(fake.proxies(scheme="https"))
        assert (await http.send(Request("POST", f"https://{VENDOR}/jobs", json={}))).status == 200


async def test_one_that_nobody_trusts_is_told_by_its_variable(vendors, client, tmp_path):
    fake = FakeProxy({f"{VENDOR}:443": vendors["https"].port})
    async with fake.running(tls=of_server(write_certificate(tmp_path / "other.pem"))):
        with pytest.raises(ProviderUnreachable, match=r"HTTPS_PROXY.*certificate verify failed"):
            await client(fake.proxies(scheme="https")).send(Request("POST", f"https://{VENDOR}/jobs", json={}))


async def test_a_websocket_goes_by_it_and_is_refused_by_it(proxy, client):
    proxy.refusal = lambda _: answer(403)
    with pytest.raises(ProviderUnavailable, match=r"HTTPS_PROXY.*answered 403"):
        async with client(proxy.proxies()).websocket(f"wss://{VENDOR}/ws", {}):
            pass
    assert proxy.targets == [f"CONNECT {VENDOR}:443"]


async def test_a_file_is_fetched_by_it(vendors, proxy, client):
    vendors["https"].answer = lambda _: ok(b"picture")
    async with name_server(files_vendor_example=["8.8.8.8"]) as names:
        http = client(proxy.proxies(), name_servers=[names.address])
        assert await bytes_of(http.fetch_public("https://files.vendor.example/a.png")) == b"picture"


async def test_also_where_no_name_leads_anywhere_from_here(vendors, proxy, client):
    vendors["https"].answer = lambda _: ok(b"picture")
    async with name_server(files_vendor_example=[]) as names:
        http = client(proxy.proxies(), name_servers=[names.address])
        assert await bytes_of(http.fetch_public("https://files.vendor.example/a.png")) == b"picture"


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "169.254.169.254", "127.0.0.1", "[::1]", "[fd00::1]", "127.1", "2130706433", "0x7f.1", "0",
     "printer", "metadata.google.internal", "nas.local", "a.corp", "router.lan", "x.home.arpa",
     "inside.vendor.example"],
)  # fmt: skip
async def test_no_stranger_leads_inside_by_the_proxy(vendors, proxy, client, host):
    proxy.ports |= {f"{host}:443": vendors["https"].port}
    async with name_server(inside_vendor_example=["8.8.8.8", "10.0.0.7"], printer=[]) as names:
        http = client(proxy.proxies(), name_servers=[names.address])
        with pytest.raises(OutputUnavailable, match="not a public address"):
            await bytes_of(http.fetch_public(f"https://{host}/latest"))
    assert proxy.asked == []


async def test_nor_by_a_redirect(vendors, proxy, client):
    vendors["https"].answer = lambda _: (
        b"HTTP/1.1 302 Found\r\nLocation: https://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    )
    async with name_server(files_vendor_example=["8.8.8.8"]) as names:
        http = client(proxy.proxies(), name_servers=[names.address])
        with pytest.raises(OutputUnavailable, match="not a public address"):
            await bytes_of(http.fetch_public("https://files.vendor.example/a.png"))
    assert proxy.targets == ["CONNECT files.vendor.example:443"]


@pytest.mark.parametrize("status", [403, 407])
async def test_a_file_that_the_proxy_refuses_is_asked_for_again_later(proxy, client, status):
    proxy.refusal = lambda _: answer(status)
    async with name_server(files_vendor_example=["8.8.8.8"]) as names:
        http = client(proxy.proxies(), name_servers=[names.address])
        with pytest.raises(ProviderUnavailable, match=f"HTTPS_PROXY.*answered {status}"):
            await bytes_of(http.fetch_public("https://files.vendor.example/a.png"))


@pytest.mark.parametrize("scheme", WAYS)
@pytest.mark.parametrize("refuses", [False, True])
def test_also_in_the_loop_that_workers_run_in(certificate, scheme, refuses):
    async def scenario():
        vendor = RawServer()
        async with vendor.running(tls=of_server(certificate)):
            proxy = FakeProxy({f"{VENDOR}:443": vendor.port})
            proxy.refusal = lambda _: answer(403) if refuses else None
            async with proxy.running(tls=of_server(certificate) if scheme == "https" else None):
                http = HttpClient("1", proxies=proxy.proxies(scheme=scheme), tls=trusting(certificate))
                try:
                    return (await http.send(Request("POST", f"https://{VENDOR}/jobs", json={}))).status
                except ProviderUnreachable as error:
                    return str(error)
                finally:
                    await http.close()

    said = uvloop.run(scenario())
    assert "answered 403" in str(said) if refuses else said == 200
