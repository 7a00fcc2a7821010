"""The client against real servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.http.on_demand import HttpOnDemand
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import OutputUnavailable, ProviderUnavailable, QuestionRefused
from genpulse.provider.http import AnswerLost, Part, Reach, Request

KEY = {"Authorization": "Bearer secret"}


@pytest.fixture(params=[HttpClient, HttpOnDemand])
async def http(request) -> AsyncIterator[HttpClient | HttpOnDemand]:
    client = request.param("1.0")
    yield client
    await client.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable]:
    """Start a server whose every request goes to one handler; gives its URL."""
    runners = []

    async def start(handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        return f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


async def bytes_of(chunks) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def test_an_answer_is_given_whatever_its_status(http, serve):
    async def handler(request):
        body = await request.json()
        return web.json_response({"got": body, "key": request.headers["Authorization"]}, status=422)

    url = await serve(handler)
    reply = await http.send(Request("POST", f"{url}/x", KEY, {"a": "b"}, json={"prompt": "fox"}))
    assert reply.status == 422
    assert not reply.ok
    assert reply.document() == {"got": {"prompt": "fox"}, "key": "Bearer secret"}
    assert reply.headers["content-type"].startswith("application/json")


async def test_a_form_with_a_file(http, serve, tmp_path):
    picture = tmp_path / "fox.png"
    picture.write_bytes(b"\x89PNG")

    async def handler(request):
        form = await request.post()
        return web.json_response({"prompt": form["prompt"], "name": form["image"].filename})

    url = await serve(handler)
    form = (Part("prompt", "x"), Part("image", picture, "fox.png", "image/png"))
    assert (await http.send(Request("POST", url, form=form))).document() == {"prompt": "x", "name": "fox.png"}


async def test_redirects_are_not_followed(http, serve):
    async def handler(request):
        raise web.HTTPFound("http://127.0.0.1:1/")

    assert (await http.send(Request("GET", await serve(handler)))).status == 302


async def test_what_cannot_be_connected_to_was_never_sent(http):
    for url in (f"http://127.0.0.1:{free_port()}", "http://nowhere.invalid/"):
        with pytest.raises(ProviderUnavailable, match="cannot be reached"):
            await http.send(Request("POST", url, json={}))


async def test_a_server_without_a_trusted_certificate_was_never_told(http, serve):
    async def handler(request):
        return web.Response()

    url = (await serve(handler)).replace("http:", "https:")
    with pytest.raises(ProviderUnavailable):
        await http.send(Request("POST", url, json={}))


@pytest.mark.parametrize("own_connection", [True, False])
async def test_an_answer_that_does_not_come_is_lost_and_the_request_is_sent_once(http, serve, own_connection):
    seen = []

    async def handler(request):
        seen.append(await request.read())
        request.transport.abort()

    url = await serve(handler)
    with pytest.raises(AnswerLost, match="gave no answer"):
        await http.send(Request("POST", url, json={}, own_connection=own_connection))
    assert len(seen) == 1


async def test_an_answer_that_hangs_is_lost(http, serve):
    async def handler(request):
        await asyncio.sleep(30)

    with pytest.raises(AnswerLost):
        await http.send(Request("POST", await serve(handler), json={}, timeout_s=0.1))


async def test_an_answer_without_end_is_not_held_in_memory(http, serve):
    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 16))

    with pytest.raises(AnswerLost, match="larger than"):
        await http.send(Request("GET", await serve(handler), limit_bytes=1 << 20))


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b'{"id": "tr', b"", b"\xff\xfe"])
async def test_what_is_not_json_is_a_lost_answer(http, serve, body):
    async def handler(request):
        return web.Response(body=body)

    reply = await http.send(Request("GET", await serve(handler)))
    with pytest.raises(AnswerLost):
        reply.document()


async def test_an_output_at_the_vendor_itself_is_fetched_with_the_key(http, serve):
    async def handler(request):
        assert request.headers["Authorization"] == "Bearer secret"
        return web.Response(body=b"x" * 1_000_000)

    url = await serve(handler)
    assert len(await bytes_of(http.fetch_own(f"{url}/out", headers=KEY))) == 1_000_000


async def test_an_output_anywhere_else_has_to_be_public(http, serve):
    async def handler(request):
        return web.Response(body=b"our inside")

    url = await serve(handler)
    elsewhere = [
        f"{url}/latest/meta-data",
        url.replace("http:", "https:"),
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "file:///etc/passwd",
        "ftp://vendor.example/x",
        "http://vendor.example/x",
    ]
    for address in elsewhere:
        with pytest.raises(OutputUnavailable):
            await bytes_of(http.fetch_public(address))


async def test_a_redirect_is_checked_again_and_takes_no_key_along(http, serve):
    seen = []

    async def inside(request):
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"our inside")

    target = await serve(inside)

    async def handler(request):
        raise web.HTTPFound(target)

    url = await serve(handler)
    with pytest.raises(OutputUnavailable, match="is not https"):
        await bytes_of(http.fetch_own(url, headers=KEY))
    assert seen == []


async def test_redirects_come_to_an_end(http, serve):
    async def handler(request):
        raise web.HTTPFound("/again")

    url = await serve(handler)
    with pytest.raises(OutputUnavailable, match="redirects more than 5 times"):
        await bytes_of(http.fetch_public(url, reach=Reach(own=url)))


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, ProviderUnavailable), (410, ProviderUnavailable), (503, ProviderUnavailable), (401, QuestionRefused)],
)
async def test_an_output_that_is_not_there(http, serve, status, error):
    async def handler(request):
        return web.Response(status=status)

    url = await serve(handler)
    with pytest.raises(error):
        await bytes_of(http.fetch_own(url, headers=KEY))


async def test_an_output_that_breaks_off_is_empty_or_too_large(http, serve):
    async def handler(request):
        if request.path == "/empty":
            return web.Response(body=b"")
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"x" * 10)
        request.transport.abort()
        return response

    url = await serve(handler)
    with pytest.raises(AnswerLost, match="broke off"):
        await bytes_of(http.fetch_own(f"{url}/broken", headers=KEY))
    with pytest.raises(OutputUnavailable, match="empty"):
        await bytes_of(http.fetch_own(f"{url}/empty", headers=KEY))
    with pytest.raises(OutputUnavailable, match="500 are allowed"):
        await bytes_of(http.fetch_own(f"{url}/broken", headers=KEY, limit_bytes=500))


async def test_a_websocket(http, serve):
    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(f"hello {await socket.receive_str()}")
        await socket.send_bytes(b"\x01")
        await socket.close()
        return socket

    url = (await serve(handler)).replace("http", "ws")
    async with http.websocket(f"{url}/ws", KEY) as socket:
        await socket.send("fox")
        assert [message async for message in socket] == ["hello fox", b"\x01"]


async def test_no_websocket(http, serve):
    async def handler(request):
        return web.Response(status=403, text="secret")

    refused = (await serve(handler)).replace("http", "ws")
    for url in (
        f"ws://127.0.0.1:{free_port()}/ws",
        f"{refused}/ws?clientId=secret",
        "ws://",
        "nonsense",
        "ws://[::1",
    ):
        with pytest.raises(ProviderUnavailable, match="No WebSocket") as caught:
            async with http.websocket(url, {}):
                pass
        assert "secret" not in caught.value.message
