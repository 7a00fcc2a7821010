"""One signed message, to real servers that behave as real ones do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from genpulse.adapters.webhooks.excerpts import of_answer
from genpulse.adapters.webhooks.exchange import Target
from genpulse.adapters.webhooks.on_demand import SenderOnDemand
from genpulse.adapters.webhooks.response_head import LONGEST_BEGINNING
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.dev.processes.ports import free_port
from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
BODY = b'{"type":"task.succeeded"}'
OWN = "whsec_" + "b3duIHNlY3JldCBvZiBvbmUga2V5"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def receiver(handler: Handler) -> AsyncIterator[str]:
    """A server; the body gets its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/hook"
    await runner.cleanup()


def at_once() -> WebhookSender:
    return WebhookSender(SECRET, allow_private=True, version="1.0.0")


@pytest.fixture(params=[at_once, lambda: SenderOnDemand(at_once)], ids=["at once", "on demand"])
async def sender(request):
    sender = request.param()
    yield sender
    await sender.close()


@asynccontextmanager
async def aclosing_sender(sender):
    try:
        yield sender
    finally:
        await sender.close()


def answers(status=200, **headers):
    async def handler(_request):
        return web.Response(status=status, headers=headers, text="thank you")

    return handler


async def send(sender, url):
    return await sender.send(url, "msg_1", BODY, now=datetime.now(UTC))


async def test_a_receiver_can_verify_what_it_gets(sender):
    got = []

    async def handler(request):
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=204)

    async with receiver(handler) as url:
        answer = await send(sender, url)
    assert (answer.status_code, answer.error, answer.is_taken) == (204, "", True)
    ((headers, body),) = got
    assert Webhook(SECRET).verify(body, headers) == json.loads(BODY)
    assert (headers["webhook-id"], headers["Content-Type"], headers["User-Agent"]) == (
        "msg_1",
        "application/json",
        "GenPulse/1.0.0",
    )


async def test_a_secret_that_is_plain_text_signs_with_its_bytes():
    got = []

    async def handler(request):
        got.append((dict(request.headers), await request.read()))
        return web.Response()

    sender = WebhookSender("plain text", allow_private=True, version="1")
    async with receiver(handler) as url:
        await send(sender, url)
    await sender.close()
    assert Webhook(b"plain text").verify(got[0][1], got[0][0])


async def test_without_a_secret_nothing_is_signed():
    async def handler(request):
        return web.Response(status=400 if "webhook-signature" in request.headers else 200)

    sender = WebhookSender(None, allow_private=True, version="1")
    async with receiver(handler) as url:
        assert (await send(sender, url)).is_taken
    await sender.close()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 500, 503])
async def test_everything_but_a_success_is_not_taken_and_no_redirect_is_followed(sender, status):
    elsewhere = []

    async def other(request):
        elsewhere.append(request)
        return web.Response()

    async with receiver(other) as target, receiver(answers(status, Location=target)) as url:
        answer = await send(sender, url)
    assert (answer.status_code, answer.is_taken) == (status, False)
    assert answer.error.startswith(f"answered {status}")
    assert elsewhere == []


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("120", 120, 120), ("x", None, None), ("-5", None, None), ("999999999", 86400, 86400)],
)
async def test_when_the_receiver_wants_it_again(sender, header, least, most):
    async with receiver(answers(503, **{"Retry-After": header})) as url:
        wait_s = (await send(sender, url)).retry_after_s
    assert (wait_s, wait_s) == (least, most)


async def test_a_date_will_do(sender):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    async with receiver(answers(503, **{"Retry-After": date})) as url:
        assert 90 < (await send(sender, url)).retry_after_s <= 100


async def test_nobody_there_and_nonsense(sender):
    assert "Cannot connect" in (await send(sender, f"http://127.0.0.1:{free_port()}/")).error
    assert (await send(sender, "http://")).status_code is None
    assert (await send(sender, "nonsense")).status_code is None


async def test_a_connection_that_is_dropped(sender):
    async def handler(request):
        request.transport.abort()
        return web.Response()

    async with receiver(handler) as url:
        answer = await send(sender, url)
    assert answer.status_code is None
    assert answer.error


async def test_an_answer_without_end_is_read_in_part(sender):
    sent = 0

    async def handler(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            try:
                await response.write(b"x" * 65536)
            except ConnectionError:
                return response
            sent += 65536

    async with receiver(handler) as url:
        assert (await send(sender, url)).is_taken
    assert sent < 64 << 20


async def test_only_public_addresses_unless_it_is_allowed():
    touched = []

    async def handler(request):
        touched.append(request)
        return web.Response()

    careful = WebhookSender(SECRET, allow_private=False, version="1")
    async with receiver(handler) as url, aclosing_sender(careful):
        for inside in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")):
            answer = await send(careful, inside)
            assert answer.status_code is None
            assert "not a public address" in answer.error
        for disguise in ("127.1", "0177.0.0.1", "2130706433", "0", "0x7f.1", "127.0.0.1.", "127.000.000.001"):
            answer = await send(careful, url.replace("127.0.0.1", disguise))
            assert answer.status_code is None
            assert "read in different ways" in answer.error
    assert touched == []


async def test_many_at_once(sender):
    running = most = 0

    async def handler(_request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return web.Response()

    async with receiver(handler) as url:
        done = await asyncio.gather(*(send(sender, url) for _ in range(200)))
    assert all(answer.is_taken for answer in done)
    assert most > 1


async def test_what_stands_in_the_url_is_sent_as_it_should_be(sender):
    got = []

    async def handler(request):
        got.append((request.raw_path, request.headers["Host"], request.headers.get("Authorization")))
        return web.Response()

    async with receiver(handler) as url:
        host = url.partition("//")[2].partition("/")[0]
        assert (await send(sender, f"http://me:secret@{host}/ä b?q=1\r\nX: y#part")).is_taken
        assert (await send(sender, f"HTTP://{host}")).is_taken
    assert got == [("/%C3%A4%20b?q=1X:+y", host, "Basic bWU6c2VjcmV0"), ("/", host, None)]


@pytest.mark.parametrize(
    ("secrets", "by"),
    [
        (SigningSecrets((OWN, "old words"), shared=False), [OWN, "old words"]),
        (SigningSecrets((OWN,), shared=True), [OWN, SECRET, "shared before"]),
        (SHARED, [SECRET, "shared before"]),
    ],
)
async def test_a_message_of_a_key_is_signed_by_its_secrets(secrets, by):
    heads = []

    async def handler(request):
        heads.append(dict(request.headers))
        return web.Response()

    sender = WebhookSender(SECRET, old_secrets=["shared before"], allow_private=True, version="1")
    async with receiver(handler) as url, aclosing_sender(sender):
        assert (await sender.send(url, "msg_1", BODY, now=datetime.now(UTC), secrets=secrets)).is_taken
    (head,) = heads
    signatures = head["webhook-signature"].split()
    assert len(signatures) == len(by)
    for secret, signature in zip(by, signatures, strict=True):
        key = secret if secret.startswith("whsec_") else secret.encode()
        Webhook(key).verify(BODY, {**head, "webhook-signature": signature})


async def test_the_beginnings_of_request_and_answer_are_kept_without_secrets(sender):
    async def handler(request):
        said = (
            f"no {request.query_string} {request.headers['Authorization']} {request.headers['webhook-signature']}"
        )
        return web.Response(status=400, headers={"Set-Cookie": "session=opens-all", "X-Why": "busy"}, text=said)

    async with receiver(handler) as url:
        named = url.replace("http://", "http://anna:open-sesame@")
        answer = await send(sender, f"{named}?token=abcdef&page=7")
    assert answer.request_excerpt.startswith("POST /hook?…\nHost: 127.0.0.1:")
    assert "webhook-id: msg_1" in answer.request_excerpt
    assert answer.request_excerpt.endswith(f"\n\n{BODY.decode()}")
    assert answer.answer_excerpt.startswith("HTTP/1.1 400 Bad Request\n")
    assert "X-Why: busy" in answer.answer_excerpt
    assert answer.answer_excerpt.endswith("\n\nno … … …")
    for secret in ("abcdef", "open-sesame", "YW5uYTpvcGVuLXNlc2FtZQ", "v1,", "opens-all"):
        assert secret not in answer.request_excerpt + answer.answer_excerpt


@pytest.mark.parametrize("padding", range(1890, 1960, 3))
async def test_what_comes_back_is_cut_off_and_no_secret_with_it(padding):
    """Also where the bound goes right through it."""
    secret = "abcdefghijklmnopqrstuvwxyz"
    raw = b"HTTP/1.1 500 No\r\nServer: x\r\n\r\n" + b"." * padding + secret.encode() * 9
    received = of_answer(Target.of(f"http://h.example/?token={secret}"), {}, raw[:LONGEST_BEGINNING])
    assert secret[:4] not in received
    assert len(received.encode()) <= 2048 + 3


async def test_of_a_silent_receiver_what_was_sent_is_known_and_of_none_nothing(sender):
    async def handler(_request):
        await asyncio.sleep(30)

    impatient = WebhookSender(SECRET, allow_private=True, version="1.0.0", answer_s=0.1)
    async with receiver(handler) as url, aclosing_sender(impatient):
        answer = await send(impatient, url)
    assert answer.silent
    assert answer.request_excerpt.endswith(BODY.decode())
    assert answer.answer_excerpt == ""
    unheard = await send(sender, f"http://127.0.0.1:{free_port()}/")
    assert (unheard.request_excerpt, unheard.answer_excerpt) == ("", "")
