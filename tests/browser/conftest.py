"""A real Chromium, and sites whose pages it shows."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.integration.api.conftest import serve  # noqa: F401 - a fixture

CLIENT = Path(__file__).parents[2] / "packages/client-typescript/src"


@pytest.fixture
async def chromium():
    from playwright.async_api import async_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "No Chromium was found: install the package chromium, or name its program in CHROMIUM."
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """The origin of a site with an empty page, and the client for JavaScript under /client/."""
    app = web.Application()
    app.router.add_get("/", _page)
    app.router.add_static("/client/", CLIENT)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>A product</title>", content_type="text/html")
