"""Gallery, models, usage, keys and the environment."""

import asyncio
import csv
import io
from uuid import UUID

import pytest

from genpulse.console.options import ConsoleOptions, ShownSetting
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import KeyState, Scope, digest_of
from genpulse.domain.webhook_delivery import Answer
from tests.api_keys import BOTH, added


async def made(served, *prompts, **words):
    ids = []
    async with served.worker(), asyncio.timeout(60):
        for prompt in prompts:
            task = (await served.submit("art/print", kind="text-to-image", input={"prompt": prompt}, **words)).json
            ids.append(task["id"])
            while not (await served.store.get(UUID(task["id"]))).status.ended:
                await asyncio.sleep(0.01)
    return ids


async def test_the_gallery_shows_what_came_out(console, browser):
    (first, second) = await made(console, "a hare", "a dog")
    await console.submit(input={"prompt": "not yet"})
    page = await browser.get("/console/gallery")
    assert "a hare" in page.text
    assert "a dog" in page.text
    assert "not yet" not in page.text
    narrow = await browser.press(page, "Show", text="hare")
    assert "a dog" not in narrow.text
    side = await browser.get(f"/console/compare?task={first}&task={second}&task={first}")
    assert "prompt differs" in side.text
    assert side.read.tags.count("th") >= 4
    assert (await browser.get("/console/compare?task=nonsense")).status == 404
    assert "Nothing was chosen." in (await browser.get("/console/compare")).text


async def test_an_empty_gallery_leads_to_the_playground(console, browser):
    page = await browser.follow(await browser.get("/console/gallery"), "Make a picture")
    assert page.path == "/console/playground?model=sandbox/image"


VIEW = frozenset({Scope.VIEW})


async def test_who_only_looks_sees_all_and_has_no_button(served_console, log_in):
    served = await served_console()
    _, headers = await added(served.services.keys, name="shop")
    (task,) = await made(served, "of the shop", headers=headers)
    waiting = (await served.submit(headers=headers)).json["id"]
    _, browser, page = await log_in(served, VIEW)
    for path in ("/console/tasks", "/console/gallery", f"/console/tasks/{task}"):
        assert "of the shop" in (await browser.get(path)).text
    assert not {"Keys", "Playground"} & {said for said, _ in page.read.links}
    shown = await browser.get(f"/console/tasks/{waiting}")
    assert {said for form in shown.read.forms for said, _ in form.buttons} <= {"Log out", "Close"}
    token = dict(shown.form("Log out").fields)["token"]
    for path in (f"/console/tasks/{waiting}/cancel", "/console/playground", "/console/keys", "/console/actions"):
        assert (await browser.post(path, ("token", token))).status == 403


async def test_content_is_hidden_from_who_only_looks_where_that_is_set(served_console, log_in):
    served = await served_console(ConsoleOptions(hides_content=True))
    _, headers = await added(served.services.keys, name="shop")
    (task,) = await made(served, "a secret", headers=headers)
    _, browser, _ = await log_in(served, VIEW)
    for path in ("/console/tasks", "/console/gallery", f"/console/tasks/{task}", f"/console/compare?task={task}"):
        page = await browser.get(path)
        assert page.status == 200
        assert "a secret" not in page.html
        assert not [source for source in page.read.sources if "/v1/assets" in source]
    async with served.client.get(f"{served.url}/console/live/tasks?", cookies=browser.cookies) as answer:
        async for line in answer.content:
            if line.startswith(b"data: {"):
                assert b"a secret" not in line
                assert b"hidden" in line
                break


async def test_receivers_that_fail_are_told_and_what_was_given_up_is_sent_again(console, browser):
    assert "Every receiver takes its messages." in (await browser.get("/console/webhooks")).text
    task = (await console.submit(webhook_url="http://shop.example/hook?<b>")).json["id"]
    await console.end(Failed(Failure(FailureCode.TIMEOUT, "late", True, Charged.NO, Actor.NOBODY)))
    deliveries = console.services.deliveries
    (delivery,) = await deliveries.of_task(UUID(task))
    await deliveries.not_taken(delivery.id, Answer(503, "<i>broken</i>"), None)
    page = await browser.get("/console/webhooks")
    assert "<i>broken</i>" in page.text
    page = await browser.follow(page, "http://shop.example")
    assert "http://shop.example/hook?<b>" in page.text
    page = await browser.press(page, "Send again")
    assert "What was given up is sent again." in page.text
    (again,) = await deliveries.of_task(UUID(task))
    assert again.next_try_at is not None
    (noted,) = await console.services.console.actions()
    assert (noted.action, noted.subject, noted.outcome) == ("messages.send", "http://shop.example", "done")


SAID = "HTTP/1.1 503\n\n<script>alert(1)</script>"


@pytest.mark.parametrize(("hides", "is_shown"), [(False, True), (True, False)])
async def test_what_was_sent_and_came_back_is_shown_to_who_may_see_content(
    served_console, log_in, hides, is_shown
):
    served = await served_console(ConsoleOptions(hides_content=hides))
    _, headers = await added(served.services.keys, name="shop")
    task = (
        await served.submit(webhook_url="http://anna:pw@shop.example/hook?t=tell-nobody", headers=headers)
    ).json["id"]
    await served.end(Failed(Failure(FailureCode.TIMEOUT, "late", True, Charged.NO, Actor.NOBODY)))
    (delivery,) = await served.services.deliveries.of_task(UUID(task))
    answer = Answer(503, "no", request_excerpt="POST /hook\n\nthe body", answer_excerpt=SAID)
    await served.services.deliveries.not_taken(delivery.id, answer, None)
    _, looks_only, _ = await log_in(served, VIEW)
    _, admin, _ = await log_in(served)
    for path in (f"/console/tasks/{task}", "/console/webhooks?origin=http://shop.example"):
        for browser, sees in ((looks_only, is_shown), (admin, True)):
            page = await browser.get(path)
            assert ("the body" in page.text, "alert(1)" in page.text) == (sees, sees)
            assert page.read.tags.count("script") == 1
            assert ("tell-nobody" in page.html, "anna:pw" in page.html) == ((browser is admin),) * 2


async def test_models_and_providers(console, browser):
    page = await browser.get("/console/models")
    assert "art/easel" in page.text
    one = await browser.follow(page, "art/easel")
    assert "Try it in the playground" in one.text
    assert "text-to-image" in one.text
    assert "art/print" not in (await browser.press(page, "Show", text="EASEL draws")).text
    gone = await browser.get("/console/models/art/none")
    assert gone.status == 404
    assert "art/none" in gone.text


async def test_usage_by_anything_and_as_a_file(console, browser):
    await made(console, "a hare", "a dog", metadata={"=customer": "acme"})
    page = await browser.get("/console/usage?group_by=model")
    assert "art/print" in page.text
    page = await browser.get("/console/usage?group_by=odd&from=never&other=1")
    assert page.status == 200
    assert "Ignored: group_by" in page.text
    assert "Ignored: from" in page.text
    answer = await console.get("/console/usage.csv?group_by=model,metadata.=customer")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    header, row = csv.reader(io.StringIO(answer.body.decode()))
    assert header[:3] == ["model", "metadata.=customer", "count"]
    assert row[:3] == ["art/print", "acme", "2"]


async def test_a_key_sees_its_own_usage_alone(served_console, log_in):
    served = await served_console()
    _, headers = await added(served.services.keys, name="other")
    await served.submit(headers=headers)
    _, browser, _ = await log_in(served, BOTH, name="mine")
    page = await browser.get("/console/usage?group_by=key")
    assert "other" not in page.text
    assert "Nothing was asked for in this time." in page.text


async def test_a_key_is_made_shown_once_and_revoked(served_console, log_in):
    served = await served_console()
    _, browser, _ = await log_in(served, name="me")
    page = await browser.get("/console/keys")
    made_page = await browser.press(
        page, "Make it", name="web shop", daily_tasks="7", daily_usd="2.50", rate="10/s"
    )
    secret = next(word for word in made_page.text.split() if word.startswith("gp_dev_"))
    key = await served.services.keys.find(digest_of(secret))
    assert (key.name, key.limits.daily_tasks, key.scopes) == ("web shop", 7, BOTH)
    listed = await browser.get("/console/keys")
    assert "web shop" in listed.text
    assert secret not in listed.html
    token = dict(listed.form("Revoke").fields)["token"]
    done = await browser.post(f"/console/keys/{key.id}/revoke", ("token", token))
    assert "Done." in done.text
    assert (await served.services.keys.get(str(key.id))).state(served.services.now()) is KeyState.REVOKED
    log = await served.services.console.actions()
    assert [(one.action, one.subject) for one in log[:2]] == [
        ("key.revoke", str(key.id)),
        ("key.create", "web shop"),
    ]


async def test_nobody_revokes_the_own_key_or_gives_more_than_it_has(served_console, log_in):
    served = await served_console()
    own, browser, _ = await log_in(served, name="me", expires_at=None)
    page = await browser.get("/console/keys")
    assert not [form for form in page.read.forms for said, _ in form.buttons if said == "Revoke"]
    token = dict(page.form("Make it").fields)["token"]
    assert (await browser.post(f"/console/keys/{own.id}/revoke", ("token", token))).status == 409
    assert (await browser.post(f"/console/keys/{served.services.new_id()}/revoke", ("token", token))).status == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x", "daily_tasks": "many"}, "/daily_tasks"),
        ({"name": "x", "daily_usd": "-1"}, "/limits/daily_usd"),
        ({"name": "x", "scope": None}, "/scopes"),
        ({"name": "x", "scope": "all"}, "/scopes"),
        ({"name": "x", "expires_in_days": "0"}, "/expires_in_s"),
    ],
)
async def test_a_key_that_cannot_be_made_is_told_in_the_form(console, browser, fields, said):
    page = await browser.press(await browser.get("/console/keys"), "Make it", **fields)
    assert page.status == 422
    assert said in page.text
    assert await console.services.keys.all() == ()
    assert dict(page.form("Make it").fields)["name"] == fields["name"]


async def test_keys_are_for_admins(served_console, log_in):
    served = await served_console()
    _, browser, page = await log_in(served, BOTH)
    assert "Keys" not in [said for said, _ in page.read.links]
    assert (await browser.get("/console/keys")).status == 403


async def test_the_environment_with_its_settings_for_admins(served_console, log_in):
    shown = (ShownSetting("redis.url", "redis://********@127.0.0.1/0", "environ", "GENPULSE_REDIS__URL"),)
    served = await served_console(ConsoleOptions(decided_by="ENV in .env", settings=lambda: shown))
    _, browser, _ = await log_in(served, frozenset({Scope.READ}))
    _, admin, _ = await log_in(served)
    page = await admin.get("/console/environment")
    assert "ENV in .env" in page.text
    assert "GENPULSE_REDIS__URL" in page.text
    assert "GENPULSE_REDIS__URL" not in (await browser.get("/console/environment")).text
