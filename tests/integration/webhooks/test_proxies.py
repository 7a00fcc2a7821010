"""Messages to receivers behind a proxy."""

import re
from datetime import UTC, datetime

import pytest
import uvloop

from genpulse.adapters.webhooks.exchange import CONNECT_S
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.addresses.proxies import Proxies
from genpulse.dev.processes.ports import free_port
from tests.certificates import of_server, trusting, write_certificate
from tests.fakes.proxy import FakeProxy
from tests.fakes.raw import RawServer, answer
from tests.integration.name_server import name_server

HOST = "hooks.receiver.example"
BODY = b'{"type":"task.succeeded"}'
WAYS = ("http", "https")


@pytest.fixture
def certificate(tmp_path):
    return write_certificate(tmp_path / "receiver.pem", HOST)


@pytest.fixture
async def receivers(certificate):
    plain, secure = RawServer(), RawServer()
    plain.answer = secure.answer = lambda _: answer(204)
    async with plain.running(), secure.running(tls=of_server(certificate)):
        yield {"http": plain, "https": secure}


@pytest.fixture
async def proxy(receivers):
    ports = {f"{HOST}:{port}": receivers[way].port for way, port in (("http", 80), ("https", 443))}
    async with FakeProxy(ports).running() as fake:
        yield fake


async def send(certificate, proxies, url, **options):
    """Once, where names of receivers lead as a public name server says."""
    async with name_server(
        hooks_receiver_example=["8.8.8.8"], inside_example=["10.0.0.7"], unknown_example=[], nowhere_invalid=[]
    ) as names:
        allowed = {"allow_private": False, "name_servers": [names.address], **options}
        sender = WebhookSender("secret", version="1", proxies=proxies, tls=trusting(certificate), **allowed)
        try:
            return await sender.send(url, "msg_1", BODY, now=datetime.now(UTC))
        finally:
            await sender.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("login", ["", "a%40b:p%3Aw@"])
async def test_a_message_goes_by_the_proxy(receivers, proxy, certificate, way, login):
    proxy.login = ("a@b", "p:w") if login else None
    sent = await send(certificate, proxy.proxies(login=login), f"{way}://{HOST}/a%2Fb?c=%20")
    assert (sent.status_code, sent.error) == (204, "")
    [asked] = receivers[way].asked
    assert (asked.target, asked.body, asked.headers["host"]) == ("/a%2Fb?c=%20", BODY, HOST)
    assert "webhook-signature" in asked.headers
    assert "proxy-authorization" not in asked.headers
    if way == "https":
        assert proxy.targets == [f"CONNECT {HOST}:443"]
        assert set(proxy.asked[0].headers) <= {"host", "proxy-authorization"}


async def test_a_proxy_may_speak_tls_itself(receivers, certificate):
    fake = FakeProxy({f"{HOST}:443": receivers["https"].port})
    async with fake.running(tls=of_server(certificate)):
        assert (await send(certificate, fake.proxies(scheme="https"), f"https://{HOST}/")).is_taken


async def test_one_that_nobody_trusts_is_told_by_its_variable(receivers, certificate, tmp_path):
    fake = FakeProxy({f"{HOST}:443": receivers["https"].port})
    async with fake.running(tls=of_server(write_certificate(tmp_path / "other.pem"))):
        sent = await send(certificate, fake.proxies(scheme="https"), f"https://{HOST}/")
    assert "HTTPS_PROXY" in sent.error
    assert "certificate verify failed" in sent.error


@pytest.mark.parametrize("way", WAYS)
async def test_a_login_that_is_missing_is_told_by_its_variable(receivers, proxy, certificate, way):
    proxy.login = ("user", "secret")
    sent = await send(certificate, proxy.proxies(), f"{way}://{HOST}/")
    assert sent.status_code is None
    assert f"does not let {HOST}" in sent.error
    assert f"the login in {way.upper()}_PROXY is missing: user:password@ stands before its host" in sent.error
    assert receivers[way].asked == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (answer(403), "answered 403 Whatever; let the proxy allow it, or name the host in NO_PROXY"),
        (answer(502), "answered 502 Whatever; ask whoever looks after the proxy"),
        (b"", "gave no way to .*: the connection was closed without an answer; mend HTTPS_PROXY"),
        (b"HTTP/1.1 200 OK\r\n", "gave no way to .*: it closed the connection in the middle of its answer's head"),
        (b"SSH-2.0-OpenSSH\r\n", "gave no way to .*: the answer begins with"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, "gave no way to"),
    ],
)
async def test_what_the_proxy_refuses_is_told_by_its_variable(receivers, proxy, certificate, refusal, words):
    proxy.refusal = lambda _: refusal
    sent = await send(certificate, proxy.proxies(), f"https://{HOST}/")
    assert sent.status_code is None
    assert re.search(words, sent.error)
    assert receivers["https"].asked == []


@pytest.mark.slow
async def test_a_proxy_that_takes_longer_than_a_connection_may_is_waited_for(receivers, proxy, certificate):
    proxy.pause_s = CONNECT_S + 0.5
    assert (await send(certificate, proxy.proxies(), f"https://{HOST}/")).status_code == 204


@pytest.mark.parametrize("where", ["127.0.0.1:{port}", "nowhere.invalid:3128"])
async def test_a_proxy_that_is_away_is_told_by_its_variable(certificate, where):
    url = f"http://user:secret@{where.format(port=free_port())}"
    sent = await send(certificate, Proxies.of({"ALL_PROXY": url}), f"https://{HOST}/")
    assert "ALL_PROXY" in sent.error
    assert "secret" not in sent.error


async def test_a_receiver_behind_it_that_nobody_trusts_is_no_fault_of_the_proxy(proxy, certificate):
    another = write_certificate(certificate.with_name("other.pem"))
    sent = await send(another, proxy.proxies(), f"https://{HOST}/")
    assert "certificate verify failed" in sent.error
    assert "_PROXY" not in sent.error


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "169.254.169.254", "127.0.0.1", "[::1]", "127.1", "0", "printer", "nas.local", "inside.example"],
)
async def test_no_caller_leads_inside_by_the_proxy(receivers, proxy, certificate, host):
    proxy.ports |= {f"{host}:80": receivers["http"].port}
    sent = await send(certificate, proxy.proxies(), f"http://{host}/latest")
    assert "not a public address" in sent.error
    assert proxy.asked == []


async def test_what_leads_nowhere_from_here_is_left_to_the_proxy(receivers, proxy, certificate):
    proxy.ports |= {"unknown.example:80": receivers["http"].port}
    assert (await send(certificate, proxy.proxies(), "http://unknown.example/")).is_taken


async def test_an_operator_may_allow_what_is_inside(receivers, proxy, certificate):
    proxy.ports |= {"inside.example:80": receivers["http"].port}
    assert (await send(certificate, proxy.proxies(), "http://inside.example/", allow_private=True)).is_taken


async def test_what_no_proxy_names_is_judged_and_sent_as_ever(proxy, certificate):
    sent = await send(certificate, proxy.proxies(excluded="inside.example"), "http://inside.example/")
    assert "inside.example leads to 10.0.0.7, which is not a public address" in sent.error
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", WAYS)
def test_also_in_the_loop_that_workers_run_in(certificate, scheme):
    async def scenario():
        receiver = RawServer()
        receiver.answer = lambda _: answer(204)
        async with receiver.running(tls=of_server(certificate)):
            proxy = FakeProxy({f"{HOST}:443": receiver.port})
            async with proxy.running(tls=of_server(certificate) if scheme == "https" else None):
                return await send(certificate, proxy.proxies(scheme=scheme), f"https://{HOST}/")

    assert uvloop.run(scenario()).status_code == 204
