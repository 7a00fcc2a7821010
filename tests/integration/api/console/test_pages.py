"""The pages of the console, as a browser without JavaScript reads them."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode
from uuid import UUID

import pytest

from genpulse.console.options import ConsoleOptions
from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added
from tests.integration.api.console.browser import Browser

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
REFUSED = Failure(FailureCode.MODERATION_BLOCKED, f"No. {SCRIPT}", False, Charged.MAYBE, Actor.CALLER)


async def failed(served, failure=REFUSED, **words):
    task = (await served.submit(**words)).json["id"]
    await served.end(Failed(failure))
    return task


async def test_every_page_of_the_navigation_is_there_and_runs_nothing_inline(console, browser):
    await failed(console)
    page = await browser.get("/console")
    ways = [href for _, href in page.read.links if href.startswith("/console")]
    assert {"/console", "/console/tasks", "/console/log"} <= set(ways)
    for way in ways:
        led = await browser.get(way)
        assert led.status == 200, way
        assert led.read.inline == []
        assert led.read.tags.count("script") == 1
        assert "style" not in led.read.tags
        assert len(led.read.ids) == len(set(led.read.ids))
        assert "GenPulse dev</title>" in led.html


@pytest.mark.parametrize(
    "name", ["console.css", "console.js", "favicon-dev.svg", "favicon-test.svg", "favicon-main.svg"]
)
async def test_what_pages_are_made_of_is_served_from_here_once(console, name):
    answer = await console.get(f"/console/static/{name}")
    assert answer.status == 200
    assert b"http://" not in answer.body.replace(b"http://www.w3.org/2000/svg", b"")
    again = await console.get(f"/console/static/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize(
    "path", ["/console/static/door.py", "/console/static/..%2Fdoor.py", "/console/none", "/console/log/x"]
)
async def test_there_is_nothing_else(console, path):
    answer = await console.get(path, encoded=True)
    assert answer.status == 404
    assert b"no such page" in answer.body


async def test_what_others_wrote_stays_text(console, browser):
    task = await failed(console, input={"prompt": SCRIPT}, metadata={SCRIPT[:20]: SCRIPT})
    typed = urlencode({"text": "alert", "metadata": f"x={SCRIPT}", "provider": SCRIPT})
    for path in ("/console/tasks", f"/console/tasks/{task}", f"/console/tasks?{typed}"):
        page = await browser.get(path)
        assert page.read.tags.count("script") == 1
        assert page.read.inline == []
        assert "x" not in page.read.sources
        assert (SCRIPT in page.text) == ("?" not in path)


async def test_a_failure_is_told_in_plain_words(console, browser):
    page = await browser.get(f"/console/tasks/{await failed(console)}")
    assert "The provider's moderation refused it. moderation_blocked" in page.text
    assert "Whoever asked for it must change the request. It may have been charged." in page.text
    assert "The same task would fail again." in page.text


async def test_an_attempt_is_a_bar_of_steps_which_are_told_in_words_too(console, browser):
    task = (await console.submit()).json["id"]
    times = AttemptTimes(None, 100, 4100, 4100, 4600, 4700, polls=3)
    await console.end(Succeeded(()), times=times)
    (attempt,) = console.services.store._attempts[UUID(task)]
    began = attempt.finished_at - timedelta(seconds=5)
    console.services.store._attempts[UUID(task)] = [replace(attempt, started_at=began)]
    page = await browser.get(f"/console/tasks/{task}")
    for step in ("polled 4.1 s, 3 answers", "collected 500 ms", "stored"):
        assert step in page.text
    for step in ("polled", "collected", "stored"):
        assert f'<rect class="{step}"' in page.html
    assert "not known, since" not in page.text


async def test_steps_of_a_lost_worker_are_shown_as_not_known(console, browser):
    task = (await console.submit()).json["id"]
    await console.end(Failed(REFUSED), times=None)
    page = await browser.get(f"/console/tasks/{task}")
    assert "not known, since its worker kept no times" in page.text
    assert '<rect class="unknown"' in page.html


async def test_a_task_shows_its_output_and_its_code(console, browser):
    async with console.worker():
        task = (await console.submit("art/print", kind="text-to-image", input={"prompt": "it's"})).json["id"]
        await console.ended(task)
    page = await browser.get(f"/console/tasks/{task}")
    assert "A file that is not shown here." in page.text
    fetched = await console.get(page.link("Download"), encoded=True)
    assert fetched.body == b"\x00print"
    assert "curl " in page.text
    assert "'it'\"'\"'s'" not in page.text
    assert "genpulse_client" in page.text
    assert json.dumps("it's") in page.text


async def test_filters_come_from_the_address_and_what_makes_no_sense_is_named(console, browser):
    await failed(console, input={"prompt": "a red fox"})
    await console.submit(input={"prompt": "a lighthouse"})
    page = await browser.get("/console/tasks?status=failed&model=&odd=1&created_after=yesterday&status=failed")
    assert "a red fox" in page.text
    assert "lighthouse" not in page.text
    assert "Ignored: odd" in page.text
    assert "Ignored: created_after" in page.text
    page = await browser.press(await browser.get("/console/tasks"), "Show", text="lighthouse", status="queued")
    assert "a lighthouse" in page.text
    assert "red fox" not in page.text
    empty = await browser.get("/console/tasks?text=nowhere")
    assert "No task fits this filter." in empty.text


OUT_OF_REACH = Failure(FailureCode.PROVIDER_UNAVAILABLE, "It is away.", False, Charged.NO, Actor.PROVIDER)


@pytest.mark.parametrize(
    ("query", "shown", "ignored"),
    [
        ("who=caller", {"a red fox"}, ""),
        ("who=provider", {"a lighthouse"}, ""),
        ("who=provider&who=caller", {"a red fox", "a lighthouse"}, ""),
        ("who=nobody", set(), ""),
        ("who=caller&code=moderation_blocked", {"a red fox"}, ""),
        ("who=caller&code=timeout&code=moderation_blocked", {"a red fox"}, ""),
        ("who=caller&code=provider_unavailable", {"a lighthouse"}, "Ignored: who: After provider_unavailable"),
        ("who=you", {"a red fox", "a lighthouse"}, "Ignored: who: Nobody is called 'you' here"),
    ],
)
async def test_who_must_act_stands_for_codes_of_failures(console, browser, query, shown, ignored):
    await failed(console, input={"prompt": "a red fox"})
    await failed(console, OUT_OF_REACH, input={"prompt": "a lighthouse"})
    page = await browser.get(f"/console/tasks?{query}")
    assert {words for words in ("a red fox", "a lighthouse") if words in page.text} == shown
    assert ignored in page.text


async def test_a_bulk_action_keeps_to_who_must_act(console, browser):
    await failed(console, input={"prompt": "a red fox"})
    await failed(console, OUT_OF_REACH, input={"prompt": "a lighthouse"})
    page = await browser.follow(await browser.get("/console/tasks?who=provider"), "Run again …")
    done = await browser.press(page, "Run again 1 task")
    assert "Run again: 1" in done.text
    (queued,) = (await console.get("/v1/tasks?status=queued")).json["data"]
    assert queued["input"] == {"prompt": "a lighthouse"}


async def test_the_list_goes_on_and_a_cursor_of_another_filter_is_ignored(console, browser):
    for number in range(51):
        await console.submit(input={"prompt": f"number {number:02}"})
    first = await browser.get("/console/tasks?status=queued")
    assert "number 50" in first.text
    assert "number 00" not in first.text
    second = await browser.follow(first, "Older")
    assert "number 00" in second.text
    assert "number 50" not in second.text
    back = await browser.follow(second, "Newest")
    assert "number 50" in back.text
    other = await browser.get(second.path.replace("status=queued", "status=failed"))
    assert "belongs to another filter" in other.text
    assert (await browser.get("/console/tasks?cursor=nonsense")).status == 200


async def test_an_empty_installation_says_what_to_do_next(console, browser):
    for path in ("/console", "/console/tasks"):
        assert "genpulse generate" in (await browser.get(path)).text
    assert "Nothing was done here yet." in (await browser.get("/console/log")).text


async def test_content_is_hidden_from_those_whose_it_is_not(served_console, log_in):
    served = await served_console(ConsoleOptions(hides_content=True))
    _, headers = await added(served.services.keys)
    task = (await served.submit(headers=headers, input={"prompt": "a secret"})).json["id"]
    _, admin, _ = await log_in(served, frozenset({Scope.ADMIN}))
    assert "a secret" in (await admin.get(f"/console/tasks/{task}")).text
    browser = Browser(served.url)
    await browser.post("/console/log-in", ("key", headers["Authorization"].removeprefix("Bearer ")))
    assert "a secret" in (await browser.get("/console/tasks")).text


async def test_the_environment_is_on_every_page_and_leads_to_the_others(served_console):
    options = ConsoleOptions(urls={"dev": "https://dev.example/console", "main": "https://main.example/console"})
    served = await served_console(options)
    for path in ("/console", "/console/tasks", "/console/log"):
        page = await Browser(served.url).get(path)
        assert 'class="environment-dev"' in page.html
        assert page.link("main") == "https://main.example/console"
        assert all("dev.example" not in href for _, href in page.read.links)


@pytest.mark.parametrize(
    "address",
    [
        "/console/tasks?who={}",
        "/console/tasks?code={}&who=caller",
        "/console/tasks?cursor={}",
        "/console/providers/{}",
        "/console/models?text={}&provider={}",
        "/console/models/{}",
        "/console/webhooks?origin={}",
        "/console/usage?group_by={}&from={}",
        "/console/gallery?model={}",
        "/console/compare?task={}",
        "/console/playground?model={}",
        "/console/log?cursor={}",
        "/console?said={}",
        "/console/environment?doctor={}x",
        "/console/log-in?next={}",
    ],
)
@pytest.mark.parametrize("word", [SCRIPT, '"><svg onload=alert(3)>', "{{ 7 * 7 }}", "\0", "\ud800", "x" * 5000])
async def test_whatever_stands_in_an_address_stays_text(served_console, address, word):
    async def nothing():
        return ()

    served = await served_console(ConsoleOptions(examine=nothing))
    said = word.encode("utf-8", "surrogatepass")
    page = await Browser(served.url).get(address.replace("{}", quote(said, safe="")))
    assert page.status < 500
    assert page.read.inline == []
    assert page.read.tags.count("script") <= 1
    assert "<svg onload" not in page.html
    assert "49" not in page.text
