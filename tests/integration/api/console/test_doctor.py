"""What `genpulse doctor` says, on the page of the environment."""

import sys

from genpulse.console.options import ConsoleOptions
from genpulse.console.views.doctor_report import DoctorFinding, examine
from genpulse.domain.keys.api_key import Scope
from tests.integration.api.console.browser import Browser

FINDINGS = (DoctorFinding("python", "ok", "3.12"), DoctorFinding("redis", "wrong", "<b>away</b>", "start it"))


def saying(text, *, then="pass"):
    return [sys.executable, "-c", f"import sys, time; sys.stdout.write({text!r}); sys.stdout.flush(); {then}"]


async def test_findings_are_shown_with_advice_when_an_admin_asks(served_console):
    asked = []

    async def found():
        asked.append(1)
        return FINDINGS

    served = await served_console(ConsoleOptions(examine=found))
    browser = Browser(served.url)
    page = await browser.get("/console/environment")
    assert asked == []
    page = await browser.press(page, "Ask the doctor")
    assert "3.12" in page.text
    assert "<b>away</b>" in page.text
    assert "start it" in page.text
    page = await browser.press(page, "Ask it again")
    assert "It was asked just now" in page.text
    assert asked == [1]


async def test_who_only_looks_does_not_ask_the_doctor(served_console, log_in):
    async def found():
        raise AssertionError

    served = await served_console(ConsoleOptions(examine=found))
    _, looks_only, _ = await log_in(served, frozenset({Scope.VIEW}))
    page = await looks_only.get("/console/environment?doctor=1")
    assert page.status == 200
    assert "Doctor" not in page.text


async def test_what_the_program_says_is_read():
    said = '[{"name": "python", "level": "ok", "detail": "3.12", "advice": ""}]'
    assert await examine(saying(said)) == (DoctorFinding("python", "ok", "3.12"),)
    assert await examine(saying(said, then="sys.exit(1)")) == (DoctorFinding("python", "ok", "3.12"),)


async def test_a_program_that_says_nothing_is_a_finding():
    (finding,) = await examine(saying("oh no", then="sys.exit(3)"))
    assert (finding.level, "ended with 3" in finding.detail) == ("wrong", True)
    (finding,) = await examine(saying("[", then="time.sleep(60)"), longest_s=0.5)
    assert (finding.level, "did not end" in finding.detail) == ("wrong", True)
