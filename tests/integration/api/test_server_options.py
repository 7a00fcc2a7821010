"""What an operator may say of a server of his own: its words, and on which hosts its files lie."""

from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from genpulse import config
from genpulse.adapters.http.http_client import HttpClient
from genpulse.testing.server import PNG
from genpulse.wiring.catalogue import open_catalogue

WORDS = {"DONE_WORDS": "fertig, Gelungen", "FAILED_WORDS": "misslungen", "RUNNING_WORDS": "In Arbeit"}


@asynccontextmanager
async def serving(**routes):
    """An HTTP server on a loopback port, by its address. A route is such as `post_images_generations`."""
    app = web.Application()
    for name, answer in routes.items():
        method, _, path = name.partition("_")

        async def handle(request: web.Request, answer=answer) -> web.Response:
            return answer(request)

        app.router.add_route(method.upper(), f"/{path.replace('_', '/').replace('ID', '{id}')}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def studio(serve, tmp_path):
    """An API with the provider `studio` at a server, configured by variables: `await studio(url, OPTION=…)`."""
    async with AsyncExitStack() as stack:

        async def start(url, **options):
            variables = {
                "GENPULSE_PROVIDERS__STUDIO__ADAPTER": "openai_compatible",
                "GENPULSE_PROVIDERS__STUDIO__BASE_URL": url,
                "GENPULSE_PROVIDERS__STUDIO__API_KEY": "studio-key",
                "GENPULSE_PROVIDERS__STUDIO__OPTIONS__PAID": "true",
                "GENPULSE_PROVIDERS__STUDIO__MODELS__IMAGE": "brush",
                "GENPULSE_PROVIDERS__STUDIO__MODELS__VIDEO": "film",
                **{f"GENPULSE_PROVIDERS__STUDIO__OPTIONS__{name}": value for name, value in options.items()},
            }
            http = HttpClient("test", missing_s=0.1)
            stack.push_async_callback(http.close)
            return await serve(catalogue=open_catalogue(config.load(tmp_path, variables, require=()), http))

        yield start


async def film(studio, standings, **options):
    """The end of a film whose server says these words of it, one after the other."""
    told = iter(standings)
    async with serving(
        post_videos=lambda _: web.json_response({"id": "v-1", "status": next(told)}),
        get_videos_ID=lambda _: web.json_response({"id": "v-1", "status": next(told, standings[-1])}),
        get_videos_ID_content=lambda _: web.Response(body=PNG),
    ) as url:
        api = await studio(url, **options)
        async with api.worker():
            submitted = await api.submit("studio/film", kind="text-to-video")
            return await api.ended(submitted.json["id"])


@pytest.mark.parametrize("word", ["fertig", "GELUNGEN", "gelungen"])
async def test_a_server_may_say_done_in_its_own_words(studio, word):
    ended = await film(studio, ["in arbeit", word], **WORDS)
    assert (ended["status"], ended["warnings"]) == ("succeeded", [])


async def test_a_server_may_say_failed_in_its_own_words(studio):
    ended = await film(studio, ["in-arbeit", "Misslungen"], **WORDS)
    assert ended["status"] == "failed"
    assert ended["error"]["charged"] != "no"


async def test_a_word_that_nobody_knows_counts_as_running_and_is_told(studio):
    ended = await film(studio, ["queued", "brütet", "fertig"], **WORDS)
    assert ended["status"] == "succeeded"
    (warning,) = ended["warnings"]
    assert (warning["code"], "brütet" in warning["message"]) == ("unknown_status", True)


async def picture(studio, **options):
    """The end of a picture that lies at another address than its server, and what was asked for there."""
    asked = []

    def give(request):
        asked.append(dict(request.headers))
        return web.Response(body=PNG)

    async with serving(get_files_ID=give) as files:
        document = {"data": [{"url": f"{files}/files/7"}]}
        async with serving(post_images_generations=lambda _: web.json_response(document)) as url:
            named = {
                name: value.replace("<files>", files.removeprefix("http://")) for name, value in options.items()
            }
            api = await studio(url, **named)
            async with api.worker():
                submitted = await api.submit("studio/brush", kind="text-to-image")
                return await api.ended(submitted.json["id"]), asked


async def test_files_of_another_host_are_refused_by_themselves(studio):
    ended, asked = await picture(studio)
    assert (ended["status"], ended["error"]["code"], ended["error"]["charged"]) == (
        "failed",
        "output_unavailable",
        "yes",
    )
    assert asked == []


@pytest.mark.parametrize("hosts", ["<files>", "other.example, 127.0.0.1"])
async def test_files_of_a_host_that_is_allowed_are_fetched_without_the_key(studio, hosts):
    ended, asked = await picture(studio, ALLOWED_HOSTS=hosts)
    assert (ended["status"], [output["media_type"] for output in ended["outputs"]]) == ("succeeded", ["image/png"])
    assert len(asked) == 1
    assert "Authorization" not in asked[0]


async def test_another_port_of_an_allowed_host_is_not_meant(studio):
    ended, asked = await picture(studio, ALLOWED_HOSTS="127.0.0.1:1")
    assert (ended["status"], asked) == ("failed", [])
