"""The example product, in Python and in JavaScript: the same calls, the same answers."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from standardwebhooks import Webhook

from genpulse.dev.processes.ports import free_port
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Sketch
from tests.node import node

ROOT = Path(__file__).parents[4]
GALLERY = ROOT / "examples/gallery"
SECRET = "any text"
PROMPT = {"prompt": "a <red> fox & a hen"}


@pytest.fixture
def catalogue_of():
    """The model that the product asks for."""
    return lambda easel: LoadedCatalogue(
        [Provider("sandbox", (Model("image", ("text-to-image",), Sketch, easel),))]
    )


def command(language, folder, port):
    """What starts it. Packages are beside it as an install would lay them."""
    if language == "python":
        options = ("--app-dir", GALLERY, "--port", port, "--log-level", "warning")
        return [sys.executable, "-m", "uvicorn", "app:app", *options]
    for name in ("server.js", "index.html", "package.json"):
        (folder / name).write_bytes((GALLERY / name).read_bytes())
    (folder / "node_modules/@genpulse").mkdir(parents=True)
    (folder / "node_modules/@genpulse/client").symlink_to(ROOT / "packages/client-typescript")
    return [node(), folder / "server.js"]


@asynccontextmanager
async def running(words, **environment):
    process = await asyncio.create_subprocess_exec(
        *(str(word) for word in words),
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "packages/genpulse-client"), **environment},
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def answering(session, url):
    async with asyncio.timeout(60):
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


@pytest.fixture(params=["python", "javascript"])
async def gallery(request, api, tmp_path):
    """A session with the product."""
    port = free_port()
    url, account = (
        f"http://127.0.0.1:{port}",
        {"GENPULSE_URL": api.url, "WEBHOOK_SECRET": SECRET, "PORT": str(port)},
    )
    async with running(command(request.param, tmp_path, port), **account), aiohttp.ClientSession(url) as session:
        await answering(session, "/")
        yield session


def signed(task_id):
    """The body and the headers of a message about a task."""
    body = json.dumps({"type": "task.succeeded", "data": {"id": task_id, "status": "succeeded"}})
    sent = datetime.now(UTC)
    signature = Webhook(SECRET.encode()).sign("msg_1", sent, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": signature,
    }
    return {"data": body, "headers": headers}


async def told_of(answer):
    """The events of a stream, as they come."""
    assert answer.content_type == "text/event-stream"
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


async def test_a_customer_has_a_picture_made(api, gallery):
    assert "<title>Pictures" in await (await gallery.get("/")).text()
    made = await (await gallery.post("/pictures", data=PROMPT)).json()
    assert (made["prompt"], made["status"], made["told"]) == (PROMPT["prompt"], "queued", False)
    api.easel.allowed.clear()
    events = []
    async with AsyncExitStack() as work:
        async for event in told_of(await gallery.get(f"/pictures/{made['id']}/events")):
            if not events:
                await work.enter_async_context(api.worker())
            if event == {"progress": 0.5, "message": "half of it"}:
                api.easel.allowed.set()
            events.append(event)
    assert (events[0]["status"], events[-1]["status"]) == ("queued", "succeeded")

    assert (await gallery.post("/hooks/genpulse", **signed(made["id"]))).status == 204
    assert (await gallery.post("/hooks/genpulse", data=b"{}")).status == 401
    (shown,) = await (await gallery.get("/pictures")).json()
    assert (shown["id"], shown["told"]) == (made["id"], True)
    async with aiohttp.ClientSession() as stranger, stranger.get(shown["url"]) as picture:
        assert await picture.text() == f"drawing of {PROMPT['prompt']}"


async def test_nobody_has_to_do_with_what_is_anothers(gallery):
    made = await (await gallery.post("/pictures", data=PROMPT)).json()
    other = {"Cookie": "customer=berta"}
    assert await (await gallery.get("/pictures", headers=other)).json() == []
    for method, word in (("GET", "events"), ("POST", "cancel")):
        answer = await gallery.request(method, f"/pictures/{made['id']}/{word}", headers=other)
        assert (answer.status, await answer.json()) == (404, {"detail": "There is no such picture."})
    canceled = await (await gallery.post(f"/pictures/{made['id']}/cancel")).json()
    assert canceled["status"] == "canceled"


async def test_a_refusal_is_handed_on(gallery):
    refused = await gallery.get("/pictures/nothing/events")
    assert (refused.status, "nothing" in (await refused.json())["detail"]) == (404, True)
