"""What is changed from the console: by whom, and only from its own pages."""

from uuid import UUID

import pytest

from genpulse.adapters.memory.console import MemoryConsole
from genpulse.console.options import ConsoleOptions
from genpulse.domain.attempt import Failed
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.webhook_delivery import Answer
from tests.api_keys import added
from tests.integration.api.console.browser import Browser

AWAY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "It is away.", True, Charged.NO, Actor.PROVIDER)
REFUSED = Failure(FailureCode.PROVIDER_REJECTED, "It said no.", False, Charged.NO, Actor.CALLER)


async def failed(served, failure=AWAY, **words):
    task = (await served.submit(**words)).json
    await served.end(Failed(failure))
    return task["id"]


async def status(served, task_id):
    return (await served.get(f"/v1/tasks/{task_id}")).json["status"]


async def test_a_queued_task_is_canceled_and_that_is_in_the_log(console, browser):
    task = (await console.submit()).json["id"]
    page = await browser.press(await browser.get(f"/console/tasks/{task}"), "Cancel")
    assert (page.led_from, page.status) == ([303], 200)
    assert "Asked to stop." in page.text
    assert await status(console, task) == "canceled"
    log = await browser.get("/console/log")
    assert "task.cancel" in log.text
    assert task in log.text
    assert "127.0.0.1" in log.text


async def test_a_failed_task_runs_again(console, browser):
    task = await failed(console)
    page = await browser.press(await browser.get(f"/console/tasks/{task}"), "Run it again")
    assert "Queued again." in page.text
    assert await status(console, task) == "queued"


async def test_what_is_refused_is_told_and_logged(console, browser):
    task = (await console.submit()).json["id"]
    page = await browser.get(f"/console/tasks/{task}")
    token = dict(page.form("Cancel").fields)["token"]
    refused = await browser.post(f"/console/tasks/{task}/retry", ("token", token))
    assert refused.status == 409
    (noted,) = await console.services.console.actions()
    assert (noted.action, noted.subject, noted.outcome) == ("task.retry", task, "not_retryable")


FORGED = [
    ({"Origin": "https://evil.example"}, True),
    ({"Origin": "null"}, True),
    ({"Origin": ""}, True),
    ({"Sec-Fetch-Site": "cross-site"}, True),
    ({"Sec-Fetch-Site": "same-site"}, True),
    ({}, False),
]


@pytest.mark.parametrize(("headers", "has_token"), FORGED)
async def test_a_forged_form_does_nothing(console, browser, headers, has_token):
    task = (await console.submit()).json["id"]
    page = await browser.get(f"/console/tasks/{task}")
    token = dict(page.form("Cancel").fields)["token"] if has_token else "x"
    refused = await browser.post(f"/console/tasks/{task}/cancel", ("token", token), **headers)
    assert refused.status in {401, 403}
    assert await status(console, task) == "queued"
    assert await console.services.console.actions() == ()


async def test_a_form_of_another_session_is_forged(console):
    first = Browser(console.url)
    task = (await console.submit()).json["id"]
    page = await first.get(f"/console/tasks/{task}")
    token = dict(page.form("Cancel").fields)["token"]
    _, headers = await added(console.services.keys, scopes=frozenset({Scope.ADMIN}))
    second = Browser(console.url)
    key = headers["Authorization"].removeprefix("Bearer ")
    await second.post("/console/log-in", ("key", key))
    assert (await second.post(f"/console/tasks/{task}/cancel", ("token", token))).status == 403


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 501, "application/x-www-form-urlencoded", 400),
        (b'{"token": 1}', "application/json", 400),
    ],
)
async def test_what_is_no_form_is_refused(console, body, kind, code):
    answer = await console.post("/console/log-out", data=body, headers={"Content-Type": kind})
    assert answer.status == code
    assert b"cannot be read" in answer.body


async def test_many_are_retried_after_their_count_and_cost_were_shown(console, browser):
    again = [await failed(console) for _ in range(3)]
    left = await failed(console, REFUSED)
    page = await browser.get("/console/tasks?status=failed")
    page = await browser.follow(page, "Run again …")
    assert "3 tasks: 3 failed" in page.text
    assert "1 left out: not_retryable" in page.text
    assert "costs at most $0.00, and of 3 nobody knows the price" in page.text
    assert await status(console, again[0]) == "failed"
    later = await failed(console)
    page = await browser.press(page, "Run again 3 tasks")
    assert "Done with 3 tasks" in page.text
    assert [await status(console, task) for task in again] == ["queued"] * 3
    assert [await status(console, task) for task in (left, later)] == ["failed"] * 2


async def test_many_are_canceled(console, browser):
    tasks = [(await console.submit(metadata={"batch": "one"})).json["id"] for _ in range(2)]
    other = (await console.submit()).json["id"]
    page = await browser.get("/console/tasks?metadata=batch%3Done")
    page = await browser.press(await browser.follow(page, "Cancel …"), "Cancel 2 tasks")
    assert [await status(console, task) for task in (*tasks, other)] == ["canceled", "canceled", "queued"]


async def test_a_confirmation_is_good_for_its_own_filter_alone(console, browser):
    for _ in range(2):
        await failed(console)
    page = await browser.get("/console/actions?action=retry&status=failed")
    refused = await browser.press(page, "Run again 2 tasks", filter="model=art/easel")
    assert refused.status == 422
    assert "confirm" in refused.text


@pytest.mark.parametrize(
    "query",
    [
        *("action=delete&status=failed", "action=retry", "action=retry&status=odd", "status=failed", ""),
        "action=retry&status=failed&cursor=x",
    ],
)
async def test_a_filter_that_is_not_kept_to_touches_nothing(console, browser, query):
    await failed(console)
    page = await browser.get(f"/console/actions?{query}")
    assert page.status == 422
    assert not page.read.forms


async def test_in_main_the_name_is_asked_for(served_console):
    served = await served_console(ConsoleOptions(asks_for_name=True))
    browser = Browser(served.url)
    task = (await served.submit()).json["id"]
    page = await browser.get(f"/console/tasks/{task}")
    for typed in ("", "main"):
        refused = await browser.press(page, "Cancel", environment=typed)
        assert refused.status == 422
        assert "type that name" in refused.text
    assert await status(served, task) == "queued"
    await browser.press(page, "Cancel", environment=" dev ")
    assert await status(served, task) == "canceled"


async def test_a_message_is_sent_again(console, browser):
    task = (await console.submit(webhook_url="http://receiver.example/hook")).json["id"]
    await console.end(Failed(AWAY))
    (delivery,) = await console.services.deliveries.of_task((await console.store.get(UUID(task))).id)
    await console.services.deliveries.taken(delivery.id, Answer(200))
    page = await browser.get(f"/console/tasks/{task}")
    assert "received" in page.text
    page = await browser.press(page, "Send again")
    assert "The message is sent again." in page.text
    (again,) = await console.services.deliveries.of_task(delivery.task_id)
    assert again.next_try_at is not None
    assert (await browser.get(f"/console/tasks/{task}/deliveries/{delivery.id}")).status == 405


class ForgetfulConsole(MemoryConsole):
    async def settle(self, action_id, outcome):
        raise DatabaseUnavailable("PostgreSQL does not answer.")


async def test_what_is_done_is_done_though_its_end_cannot_be_logged(served_console):
    served = await served_console(console=ForgetfulConsole())
    browser = Browser(served.url)
    task = (await served.submit()).json["id"]
    page = await browser.press(await browser.get(f"/console/tasks/{task}"), "Cancel")
    assert "Asked to stop." in page.text
    assert await status(served, task) == "canceled"
    assert "not known" in (await browser.get("/console/log")).text
