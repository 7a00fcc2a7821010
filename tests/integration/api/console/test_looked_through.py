"""Pages that have looked through a part of the tasks, say so, and lead on."""

import re

import pytest

from genpulse.console.pages import bulk, tasks
from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ProviderUnavailable

AWAY = ProviderUnavailable("away").failure


@pytest.fixture(autouse=True)
def looks_at_few(monkeypatch):
    monkeypatch.setattr(tasks, "LOOKED_THROUGH", 3)
    monkeypatch.setattr(bulk, "LOOKED_THROUGH", 3)


async def submitted(console, count, **changes):
    return [(await console.submit(**changes)).json["id"] for _ in range(count)]


def shown(page):
    return re.findall(r'data-row="([^"]+)"', page.html)


async def test_a_page_says_how_far_it_looked_and_leads_on(console, browser):
    old = await submitted(console, 1, metadata={"customer": "acme"})
    await submitted(console, 4, metadata={"customer": "beta"})
    new = await submitted(console, 1, metadata={"customer": "acme"})
    page = await browser.get("/console/tasks?metadata=customer%3Dacme")
    assert shown(page) == new
    assert "Looked through 3 tasks, back to " in page.text
    assert "Nothing found yet" not in page.text
    page = await browser.follow(page, "Look further")
    assert shown(page) == old
    assert "Looked through" not in page.text


async def test_a_page_that_found_nothing_yet_does_not_say_that_there_is_nothing(console, browser):
    old = await submitted(console, 1, input={"prompt": "a badger"})
    await submitted(console, 4)
    page = await browser.get("/console/tasks?text=badger")
    assert not shown(page)
    assert "Nothing found yet. Looked through 3 tasks" in page.text
    assert "No task fits" not in page.text
    assert shown(await browser.follow(page, "Look further")) == old
    page = await browser.follow(page, "look among what has ended")
    assert "status=canceled" in page.url
    assert "look among what has ended" not in page.text


async def test_the_gallery_looks_on(console, browser):
    await submitted(console, 4)
    page = await browser.get("/console/gallery")
    assert "Nothing found yet. Looked through 3 tasks" in page.text
    page = await browser.follow(page, "Look further")
    assert "Nothing here fits." in page.text


async def test_no_more_is_run_again_than_was_counted(console, browser):
    for _ in range(5):
        await submitted(console, 1)
        await console.end(Failed(AWAY))
    page = await browser.get("/console/actions?action=retry&status=failed")
    assert "3 tasks: 3 failed" in page.text
    assert "Looked through 3 tasks, back to " in page.text
    assert "nothing is done with them" in page.text
    page = await browser.press(page, "Run again 3 tasks")
    assert "Done with 3 tasks" in page.text
    assert await statuses(console) == ["queued"] * 3 + ["failed"] * 2
    page = await browser.follow(page, "Count older ones …")
    assert "2 tasks: 2 failed" in page.text
    assert "Looked through" not in page.text
    page = await browser.press(page, "Run again 2 tasks")
    assert "Count older ones" not in page.text
    assert await statuses(console) == ["queued"] * 5


async def test_what_is_counted_of_nothing_leads_on(console, browser):
    failed = await submitted(console, 1)
    await console.end(Failed(AWAY))
    await submitted(console, 4)
    page = await browser.get("/console/actions?action=retry&status=failed")
    assert "Nothing found yet to do it with." in page.text
    assert not [form for form in page.read.forms if "confirm" in dict(form.fields)]
    page = await browser.follow(page, "Look further")
    page = await browser.press(page, "Run again 1 task")
    assert (await console.get(f"/v1/tasks/{failed[0]}")).json["status"] == "queued"


async def statuses(console):
    return [task["status"] for task in (await console.get("/v1/tasks?limit=100")).json["data"]]
