"""The console in a real Chromium: `make browser` runs this, where one is installed.

It is no part of `make test`, which needs no browser.
"""

import io
import os
import shutil
from decimal import Decimal
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import async_playwright, expect

from genpulse.console.options import ConsoleOptions
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.webhook_delivery import Answer
from genpulse.provider import ImageRef, Immediate, Input, Model, Output, Provider, Result
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import added
from tests.integration.api.conftest import Sketch

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
AWAY = Failure(FailureCode.PROVIDER_UNAVAILABLE, f"It is away. {SCRIPT}", True, Charged.NO, Actor.PROVIDER)
PAGES = (
    "",
    "/tasks",
    "/tasks?status=failed&odd=1",
    "/gallery",
    "/playground",
    "/playground?model=art/easel",
    "/models",
    "/models/art/easel",
    "/providers/art",
    "/playground?model=art/copier",
    "/tasks?who=provider",
    "/webhooks?origin=http%3A%2F%2Fshop.example",
    "/environment?doctor=1",
    "/webhooks",
    "/usage",
    "/usage?group_by=model",
    "/keys",
    "/log",
    "/environment",
    "/actions?action=retry&status=failed",
    "/nothing",
)
NARROW = 400


class Original(Input):
    """What is to be copied."""

    image: ImageRef


class Copier(Immediate[Original]):
    """The same picture once more."""

    async def generate(self, call):
        return Result((Output(picture(len(call.input.image) % 256)),))


def picture(blue):
    content = io.BytesIO()
    Image.new("RGB", (96, 64), (200, 90, blue)).save(content, "PNG")
    return content.getvalue()


class Painter(Immediate[Sketch]):
    """A picture in one colour."""

    async def generate(self, call):
        return Result((Output(picture(len(call.input.prompt) % 256)),))


@pytest.fixture
def catalogue_of():
    def make(easel):
        models = (
            Model("easel", ("text-to-image",), Sketch, easel, title="Easel", price=lambda _: Decimal("0.04")),
            Model("painter", ("text-to-image",), Sketch, Painter(), title="Painter"),
            Model("copier", ("image-to-image",), Original, Copier(), title="Copier"),
        )
        return LoadedCatalogue([Provider("art", models)])

    return make


@pytest.fixture
async def chromium():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "No Chromium was found: install the package chromium, or name its program in CHROMIUM."
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def opened(chromium, console):
    """Open pages: `page = await opened()`. What any of them complained of is an error at the end."""
    complaints, contexts = [], []

    def is_foreign(url):
        return not url.startswith((console.url, "data:"))

    async def new(**options):
        context = await chromium.new_context(base_url=console.url, **options)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        page.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)
        page.on("request", lambda asked: complaints.append(asked.url) if is_foreign(asked.url) else None)
        return page

    yield new
    for context in contexts:
        await context.close()
    assert complaints == []


async def made(console, *prompts, model="art/painter"):
    ids = []
    async with console.worker():
        for prompt in prompts:
            task = (await console.submit(model, input={"prompt": prompt})).json["id"]
            await console.ended(task)
            ids.append(task)
    return ids


async def failed(console, **words):
    task = (await console.submit(**words)).json["id"]
    await console.end(Failed(AWAY))
    return task


async def filled(console):
    """Something of each kind; returns a task that failed and one with a picture."""
    bad = await failed(console, input={"prompt": SCRIPT}, webhook_url="http://shop.example/hook")
    (delivery,) = await console.services.deliveries.of_task(UUID(bad))
    answer = Answer(503, "answered 503", request_excerpt=f"POST /hook {'x' * 300}", answer_excerpt=SCRIPT)
    await console.services.deliveries.not_taken(delivery.id, answer, 60.0)
    await console.services.gate.failed("art", AWAY)
    (good,) = await made(console, "שועל אדום " + "a very long prompt " * 40)
    await console.submit(input={"prompt": "still waits"})
    return bad, good


async def test_the_life_of_a_task_is_seen_without_a_reload(console, opened):
    page = await opened()
    console.easel.allowed.clear()
    await page.goto("/console/tasks")
    await expect(page.get_by_text("There is no task yet.")).to_be_visible()
    await console.submit(input={"prompt": "a fox that was asked for"})
    await page.get_by_text("a fox that was asked for").click()
    await expect(page.locator("#state .status")).to_have_text("waits")
    async with console.worker():
        await expect(page.locator("#state .status")).to_have_text("runs")
        console.easel.allowed.set()
        await expect(page.locator("#state .status")).to_have_text("succeeded")
        await expect(page.get_by_role("link", name="Download")).to_be_visible()


@pytest.mark.parametrize("runs_scripts", [True, False])
async def test_from_playground_to_picture_and_again_with_changes(console, opened, runs_scripts):
    page = await opened(java_script_enabled=runs_scripts)
    await page.goto("/console/playground")
    await page.get_by_label("Model").select_option("art/painter")
    await page.get_by_role("button", name="Show its form").click()
    await page.get_by_label("prompt").fill("a hare")
    async with console.worker():
        await page.get_by_role("button", name="Run", exact=True).click()
        await page.wait_for_url("**/playground?from=*")
        if not runs_scripts:
            await console.ended(page.url.partition("from=")[2])
            await page.reload()
        picture = page.locator("#outputs img")
        await expect(picture).to_be_visible()
    await page.get_by_role("link", name="The task of this form").click()
    await page.get_by_role("link", name="Run again with changes").click()
    assert await page.get_by_label("prompt").input_value() == "a hare"


@pytest.mark.parametrize("runs_scripts", [True, False])
async def test_a_file_is_brought_by_the_form(console, opened, runs_scripts):
    page = await opened(java_script_enabled=runs_scripts)
    await page.goto("/console/playground?model=art/copier")
    file = {"name": "a <b>.png", "mimeType": "image/png", "buffer": picture(7)}
    await page.get_by_label("A file for image").set_input_files(file)
    async with console.worker():
        await page.get_by_role("button", name="Run", exact=True).click()
        await page.wait_for_url("**/playground?from=*")
        await console.ended(page.url.partition("from=")[2])
    assert (await page.get_by_role("textbox", name="image").input_value()).startswith("asset:")


async def test_a_provider_is_asked_now(chromium, served_console):
    async def probe(name):
        return f"{name} is well. {SCRIPT}"

    served = await served_console(ConsoleOptions(probe=probe))
    context = await chromium.new_context(base_url=served.url)
    page = await context.new_page()
    await page.goto("/console/models")
    await page.get_by_role("link", name="art", exact=True).click()
    await page.get_by_role("button", name="Probe it now").click()
    await expect(page.get_by_text(f"art is well. {SCRIPT}")).to_be_visible()
    await context.close()


async def test_filter_share_and_retry_many(console, opened):
    for _ in range(3):
        await failed(console)
    page = await opened()
    await page.goto("/console/tasks")
    await page.get_by_label("Status").select_option("failed")
    await page.get_by_role("button", name="Show").click()
    shared = await opened()
    await shared.goto(page.url)
    await expect(shared.locator("tbody tr")).to_have_count(3)
    await shared.get_by_role("link", name="Run again …").click()
    await expect(shared.get_by_text("costs at most $0.12")).to_be_visible()
    await shared.get_by_role("button", name="Run again 3 tasks").click()
    await expect(shared.get_by_text("Done with 3 tasks")).to_be_visible()
    await expect(page.get_by_text("No task fits this filter.")).to_be_visible()


async def test_four_side_by_side(console, opened):
    await made(console, "one", "two", "three", "four")
    page = await opened()
    await page.goto("/console/gallery")
    for box in await page.get_by_label("Compare").all():
        await box.check()
    await page.get_by_role("button", name="Side by side").click()
    await expect(page.locator(".compare thead th")).to_have_count(4)
    await expect(page.locator("tr.differs")).to_have_count(1)


async def test_keys_lead_around(console, opened):
    await filled(console)
    page = await opened()
    await page.goto("/console")
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await page.wait_for_url("**/console/tasks")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("jkg?")
    assert await page.get_by_label("Words of the input").input_value() == "jkg?"
    await page.locator("h1").click()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    chosen = await page.locator("tr.chosen").get_attribute("data-row")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/console/tasks/{chosen}")


async def test_times_are_those_of_the_reader(console, opened):
    await failed(console)
    page = await opened(timezone_id="Asia/Tokyo", locale="en-GB")
    await page.goto("/console/tasks")
    time = page.locator("tbody time").first
    assert "UTC" not in await time.inner_text()
    assert (await time.get_attribute("title")).endswith("UTC")


async def test_an_outage_is_told_on_the_page_and_over_by_itself(console, opened):
    await failed(console)
    page = await opened()
    await page.goto("/console/tasks")
    console.store.away = True
    await expect(page.get_by_text("The database is away.")).to_be_visible()
    await expect(page.locator("tbody tr")).to_have_count(1)
    console.store.away = False
    await expect(page.get_by_text("The database is away.")).to_be_hidden()


async def test_log_in_scopes_and_the_name_of_the_environment(chromium, served_console):
    served = await served_console(ConsoleOptions(asks_for_name=True))
    _, headers = await added(served.services.keys, scopes=frozenset({Scope.ADMIN}), name="me")
    task = (await served.submit(headers=headers)).json["id"]
    context = await chromium.new_context(base_url=served.url)
    page = await context.new_page()
    await page.goto(f"/console/tasks/{task}")
    await page.get_by_label("API key").fill(headers["Authorization"].removeprefix("Bearer "))
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"**/tasks/{task}")
    (cookie,) = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await page.get_by_role("button", name="Cancel").click()
    assert page.url.endswith(f"/tasks/{task}")
    await page.get_by_label("Type dev to do it").fill("dev")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_text("Asked to stop.")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/log-in")
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_is_a_barrier_or_wider_than_a_telephone(console, opened, scheme):
    bad, good = await filled(console)
    page = await opened(color_scheme=scheme, viewport={"width": NARROW, "height": 800})
    found = []
    for path in (*PAGES, f"/tasks/{bad}", f"/tasks/{good}", f"/playground?from={good}", f"/compare?task={good}"):
        await page.goto(f"/console{path}")
        results = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        found += [
            (path, one["id"], [node["html"][:120] for node in one["nodes"]][:3])
            for one in results.response["violations"]
        ]
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW:
            found.append((path, "too wide", width))
    assert found == [], "\n".join(map(str, found))


async def test_a_script_in_a_prompt_stays_text(console, opened):
    bad, _ = await filled(console)
    page = await opened()
    for path in ("/tasks", f"/tasks/{bad}", "/gallery", f"/playground?from={bad}"):
        await page.goto(f"/console{path}")
        assert await page.locator("main script, main img[src=x]").count() == 0
    await page.goto(f"/console/tasks/{bad}")
    await expect(page.locator("#state").get_by_text("<script>alert(1)</script>")).to_be_visible()
