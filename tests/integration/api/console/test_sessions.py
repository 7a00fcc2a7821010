"""Who may enter the console, and for how long."""

from dataclasses import replace

import pytest

from genpulse.adapters.memory.console import MemoryConsole
from genpulse.api.options import ApiOptions
from genpulse.console.door import console_doors
from genpulse.console.options import ConsoleOptions
from genpulse.domain.console import SESSION_LASTS
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import BOTH, added
from tests.integration.api.conftest import DEV, KEY_PREFIXES, utc_now
from tests.integration.api.console.browser import Browser

TEST = replace(DEV, name="test", target="Testing / QA", api_key_prefix="gp_test_")


async def test_from_this_machine_nobody_is_asked_while_there_is_no_key(console, browser):
    page = await browser.get("/console")
    assert (page.status, page.path) == (200, "/console")
    assert "no key needed" in page.text
    await added(console.services.keys)


async def test_a_browser_is_led_from_the_root_and_others_are_not(console, browser):
    page = await browser.get("/")
    assert (page.led_from, page.path) == ([303], "/console")
    (await console.get("/", headers={"Accept": "application/json"})).problem(404, "not_found")
    (await console.get("/")).problem(404, "not_found")


async def test_a_key_opens_a_session_that_comes_back_to_the_page_that_was_asked_for(served_console, log_in):
    served = await served_console(environment=TEST)
    key, browser, page = await log_in(served, path="/console/tasks?status=failed", name="night shift")
    assert page.path == "/console/tasks?status=failed"
    assert "night shift" in page.text
    (cookie,) = browser.set_cookies
    words = {word.strip().lower() for word in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/console", "max-age=43200"} <= words
    assert cookie.startswith("genpulse_test=")
    (begun,) = await served.services.console.actions()
    assert (begun.action, begun.owner, begun.outcome) == ("session.begin", str(key.id), "done")


async def test_behind_https_the_cookie_is_bound_to_the_host(served_console, log_in):
    options = ApiOptions(api_key_prefixes=KEY_PREFIXES, public_url="https://console.example.com")
    served = await served_console(environment=TEST, options=options)
    _, browser, _ = await log_in(served)
    (cookie,) = browser.set_cookies
    words = {word.strip().lower() for word in cookie.split(";")[1:]}
    assert cookie.startswith("__Host-genpulse_test=")
    assert {"secure", "path=/"} <= words


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        ("gp_test_wrong", 401, "not known here"),
        ("gp_live_foreign", 403, "belongs to the environment 'main'"),
        ("", 401, "not known here"),
    ],
)
async def test_a_key_that_is_none_says_why(served_console, key, status, said):
    served = await served_console(environment=TEST)
    browser = Browser(served.url)
    page = await browser.press(await browser.get("/console"), "Log in", key=key)
    assert page.status == status
    assert said in page.text
    assert not browser.cookies
    assert page.form("Log in")


async def test_a_session_ends_with_its_key_and_with_log_out(served_console, log_in):
    served = await served_console(environment=TEST)
    key, browser, page = await log_in(served)
    _, other, _ = await log_in(served)
    await served.services.keys.revoke(str(key.id), utc_now())
    page = await browser.get("/console/tasks")
    assert page.path.startswith("/console/log-in")

    held = dict(other.cookies)
    page = await other.press(await other.get("/console"), "Log out")
    assert page.path == "/console/log-in"
    assert not other.cookies
    other.cookies = held
    assert (await other.get("/console")).path.startswith("/console/log-in")


async def test_a_session_that_has_run_out_is_over(served_console, log_in):
    moment = [utc_now()]
    served = await served_console(environment=TEST, console=MemoryConsole(now=lambda: moment[0]))
    _, browser, page = await log_in(served)
    assert page.path == "/console"
    moment[0] += SESSION_LASTS
    page = await browser.get("/console")
    assert page.path.startswith("/console/log-in")


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/log-in?next=/"])
async def test_log_in_leads_nowhere_else(served_console, wanted):
    served = await served_console(environment=TEST)
    _, headers = await added(served.services.keys, "gp_test_")
    browser = Browser(served.url)
    page = await browser.post(
        "/console/log-in", ("key", headers["Authorization"].removeprefix("Bearer ")), ("next", wanted)
    )
    assert page.path == "/console"


async def test_a_page_of_another_site_logs_nobody_in(served_console):
    served = await served_console(environment=TEST)
    _, headers = await added(served.services.keys, "gp_test_")
    browser = Browser(served.url)
    key = headers["Authorization"].removeprefix("Bearer ")
    page = await browser.post("/console/log-in", ("key", key), Origin="https://evil.example")
    assert page.status == 403
    assert not browser.cookies


async def test_a_key_that_may_not_read_does_not_enter(served_console):
    served = await served_console(environment=TEST)
    _, headers = await added(served.services.keys, "gp_test_", scopes=frozenset({Scope.WRITE}))
    browser = Browser(served.url)
    key = headers["Authorization"].removeprefix("Bearer ")
    page = await browser.press(await browser.get("/console"), "Log in", key=key)
    assert page.status == 403
    assert "tasks:read" in page.text


async def test_a_proxy_may_put_it_below_a_path(serve):
    served = await serve(root_path="/gen", doors=console_doors(ConsoleOptions()), environment=TEST)
    _, headers = await added(served.services.keys, "gp_test_")
    browser = Browser(served.url, prefix="/gen")
    page = await browser.press(
        await browser.get("/gen/console"), "Log in", key=headers["Authorization"].removeprefix("Bearer ")
    )
    assert (page.status, page.path) == (200, "/gen/console")
    assert all(href.startswith(("/gen/", "#")) for _, href in page.read.links)
    assert all(source.startswith("/gen/") for source in page.read.sources)


async def test_an_outage_is_a_page_that_comes_back_by_itself(console, browser):
    console.store.away = True
    page = await browser.get("/console/tasks")
    assert page.status == 503
    assert 'http-equiv="refresh"' in page.html
    console.store.away = False
    assert (await browser.get("/console/tasks")).status == 200


class BlinkingConsole(MemoryConsole):
    away = False

    async def session(self, digest):
        if self.away:
            raise DatabaseUnavailable("PostgreSQL does not answer.")
        return await super().session(digest)


async def test_a_session_is_not_over_because_nobody_can_look_it_up(served_console, log_in):
    store = BlinkingConsole()
    served = await served_console(environment=TEST, console=store)
    _, browser, _ = await log_in(served)
    store.away = True
    assert (await browser.get("/console")).status == 503
    store.away = False
    assert (await browser.get("/console")).path == "/console"


async def test_every_answer_has_the_headers(console, browser):
    for path in ("/console", "/console/nothing", "/console/static/console.css", "/console/log-in"):
        answer = await console.get(path, allow_redirects=False)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Frame-Options"] == "DENY"


async def test_a_key_sees_its_own_and_an_admin_sees_all(served_console, log_in):
    served = await served_console(environment=TEST)
    _, my_browser, _ = await log_in(served, BOTH, name="mine")
    _, other_headers = await added(served.services.keys, "gp_test_", name="other")
    foreign = (await served.submit(headers=other_headers, input={"prompt": "of the other"})).json["id"]
    page = await my_browser.get("/console/tasks")
    assert "of the other" not in page.text
    assert (await my_browser.get(f"/console/tasks/{foreign}")).status == 404
    assert (await my_browser.get("/console/tasks/nonsense")).status == 404
    assert "of the other" not in (await my_browser.get("/console")).text
    assert "Ignored: key" in (await my_browser.get("/console/tasks?key=other")).text
    _, admin, _ = await log_in(served)
    assert "of the other" in (await admin.get("/console/tasks")).text
    assert (await admin.get(f"/console/tasks/{foreign}")).status == 200


async def test_a_key_that_only_reads_has_no_buttons_and_changes_nothing(served_console, log_in):
    served = await served_console(environment=TEST)
    _, browser, _ = await log_in(served, frozenset({Scope.READ}))
    _, other = await added(served.services.keys, "gp_test_")
    task = (await served.submit(headers=other)).json["id"]
    page = await browser.get("/console/tasks?status=queued")
    assert "Cancel …" not in page.text
    refused = await browser.post(f"/console/tasks/{task}/cancel", ("token", _token(page)))
    assert refused.status == 403
    assert (await served.get(f"/v1/tasks/{task}", headers=other)).json["status"] == "queued"


def _token(page) -> str:
    return next(value for form in page.read.forms for name, value in form.fields if name == "token")
