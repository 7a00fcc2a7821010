"""The page of a provider: its account, what happened to it, and asking it now."""

import pytest

from genpulse.console.options import ConsoleOptions
from genpulse.domain.errors import AuthenticationFailed, ProviderUnavailable
from genpulse.domain.keys.api_key import Scope
from tests.integration.api.console.browser import Browser

SCRIPT = "<script>alert(1)</script>"


def asked(answer):
    """A console that gets this answer, or this error, and the names that it asks for."""
    names = []

    async def probe(name):
        names.append(name)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ConsoleOptions(probe=probe), names


async def test_a_provider_is_asked_now_and_that_is_in_the_log(served_console):
    options, names = asked(f"2 models {SCRIPT}")
    served = await served_console(options)
    browser = Browser(served.url)
    page = await browser.follow(await browser.get("/console/models"), "art")
    assert "Nothing that is known" in page.text
    done = await browser.press(page, "Probe it now")
    assert f"It answers: 2 models {SCRIPT}" in done.text
    assert done.read.tags.count("script") == 1
    again = await browser.press(done, "Probe it now")
    assert "It was asked just now" in again.text
    assert names == ["art"]
    log = await browser.get("/console/log")
    assert "provider.probe art" in log.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProviderUnavailable("502"), "provider_unavailable 502"),
        (AuthenticationFailed("No such key."), "authentication_failed No such key."),
    ],
)
async def test_why_it_does_not_answer_is_told(served_console, error, said):
    served = await served_console(asked(error)[0])
    browser = Browser(served.url)
    done = await browser.press(await browser.get("/console/providers/art"), "Probe it now")
    assert said in done.text


async def test_what_happened_to_an_account_is_told_with_its_reason(served_console):
    served = await served_console()
    for _ in range(5):
        await served.services.gate.failed("art", ProviderUnavailable(f"502 {SCRIPT}").failure)
    browser = Browser(served.url)
    page = await browser.get("/console/providers/art")
    assert "left alone" in page.text
    assert f"provider_unavailable: 502 {SCRIPT}" in page.text
    assert "Probe it now" not in page.text


async def test_only_an_admin_asks_and_there_are_no_others(served_console, log_in):
    options, names = asked("well")
    served = await served_console(options)
    _, browser, page = await log_in(served, frozenset({Scope.WRITE, Scope.READ}), "/console/providers/art")
    assert "Probe it now" not in page.text
    token = dict((await browser.get("/console")).form("Log out").fields)["token"]
    for path in ("/console/providers/art", "/console/providers/none", "/console/providers/%00"):
        answer = await browser.post(path, ("token", token))
        assert answer.status == 403
    assert (await browser.get("/console/providers/none")).status == 404
    assert names == []
