"""A page of another origin that submits by a client token and watches by events: `make browser` runs this."""

import asyncio
import io

import pytest
from PIL import Image

from genpulse.api.options import ApiOptions
from genpulse.provider import Immediate, Model, Output, Provider, Result
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import added
from tests.integration.api.conftest import KEY_PREFIXES, Sketch

PLAIN = """
async ([api, token]) => {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ model: "art/painter", input: { prompt: "a fox" } });
  const answer = await fetch(`${api}/v1/tasks`, { method: "POST", headers, body });
  const task = await answer.json();
  const events = new EventSource(task.urls.events);
  const seen = (window.seen = []);
  for (const name of ["task", "progress"]) events.addEventListener(name, () => seen.push(name));
  const done = await new Promise((resolve, reject) => {
    events.addEventListener("done", (event) => resolve(JSON.parse(event.data)));
    events.addEventListener("error", () => events.readyState === 2 && reject(new Error("closed")));
  });
  events.close();
  const image = document.createElement("img");
  image.src = done.outputs[0].url;
  await image.decode();
  const again = await fetch(`${api}/v1/tasks`, { method: "POST", headers, body });
  const list = await fetch(`${api}/v1/tasks`, { headers });
  return {
    status: answer.status, location: answer.headers.get("Location"),
    end: done.status, seen, width: image.naturalWidth,
    again: [again.status, (await again.json()).code], list: [list.status, (await list.json()).code],
  };
}
"""
CLIENT = """
async ([api, token]) => {
  const { GenPulse, uploadTo } = await import("/client/index.js");
  const genpulse = new GenPulse(api, token);
  const file = new Blob(["a few words"], { type: "text/plain" });
  const asset = await uploadTo(await genpulse.createUpload(), file);
  const names = [];
  const onEvent = (event) => names.push(event.name ?? event.type);
  const task = await genpulse.generate("art/painter", { prompt: `asset:${asset.id}` }, { onEvent });
  const bytes = await genpulse.bytes(task.outputs[0]);
  const [output] = task.outputs;
  return { end: task.status, events: names.length, size: bytes.length, bytes: output.bytes, asset: asset.bytes };
}
"""
REFUSED = """
async ([api, token]) => {
  const read = (options) => fetch(`${api}/v1/tasks`, options).then((answer) => answer.status, () => "nothing");
  return [await read({}), await read({ headers: { Authorization: `Bearer ${token}` } })];
}
"""


class Painter(Immediate[Sketch]):
    """A picture in one colour."""

    async def generate(self, call):
        content = io.BytesIO()
        Image.new("RGB", (96, 64), (200, 90, 40)).save(content, "PNG")
        return Result((Output(content.getvalue()),))


@pytest.fixture
def catalogue_of():
    def make(_easel):
        return LoadedCatalogue([Provider("art", (Model("painter", ("text-to-image",), Sketch, Painter()),))])

    return make


@pytest.fixture
async def shared(serve, site):
    """An API that pages of the site may call."""
    return await serve(ApiOptions(cors_origins=frozenset({site}), api_key_prefixes=KEY_PREFIXES))


async def token_of(api, **terms):
    _, key = await added(api.services.keys)
    wanted = {"models": ["art/painter"], "max_tasks": 1, "expires_in_s": 600, **terms}
    return (await api.post("/v1/client_tokens", json=wanted, headers=key)).json["token"]


async def test_a_page_submits_watches_and_shows_what_was_made(shared, site, chromium):
    page = await chromium.new_page()
    await page.goto(site)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        telling = group.create_task(page.evaluate(PLAIN, [shared.url, await token_of(shared)]))
        await page.wait_for_function("window.seen?.includes('task')")
        async with shared.worker():
            told = await telling
    assert (told["status"], told["end"], told["width"]) == (202, "succeeded", 96)
    assert told["location"].startswith(f"{shared.url}/v1/tasks/")
    assert "task" in told["seen"]
    assert told["again"] == [403, "client_token_used_up"]
    assert told["list"] == [403, "outside_client_token"]


async def test_the_client_for_javascript_works_by_a_client_token(shared, site, chromium):
    page = await chromium.new_page()
    await page.goto(site)
    async with shared.worker(), asyncio.timeout(60):
        told = await page.evaluate(CLIENT, [shared.url, await token_of(shared, uploads={"max_files": 1})])
    assert (told["end"], told["asset"]) == ("succeeded", 11)
    assert told["size"] == told["bytes"] > 0
    assert told["events"] > 0


async def test_a_page_of_a_third_site_reads_nothing(shared, chromium, site):
    page = await chromium.new_page()
    await page.goto(site.replace("127.0.0.1", "localhost"))
    assert await page.evaluate(REFUSED, [shared.url, await token_of(shared)]) == ["nothing", "nothing"]
