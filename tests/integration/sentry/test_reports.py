"""Errors at a project of Sentry: each once, with its ids, and without anybody's words."""

import asyncio
import json
import logging
import threading
import time

import pytest
import sentry_sdk

from genpulse.adapters.log_ids import bound
from genpulse.adapters.sentry.reports import ErrorReports
from tests.fakes.collector import SentryProject

LOG = logging.getLogger("genpulse.lifecycle.attempt.run")
ROOMY_S = 30.0
TASK, TRACE, SPAN = "0199", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def project():
    with SentryProject() as project:
        yield project


@pytest.fixture
async def reports(project):
    opened = ErrorReports(project.dsn, environment="test", release="genpulse@v1.2.0+abc", process="worker")
    yield opened
    await opened.close(ROOMY_S)


def fail(prompt: str) -> None:
    secret = "sk_live_a_secret_in_a_variable"
    raise ValueError(f"the prompt {prompt!r} is refused for {secret}")


def logged(log: logging.Logger = LOG, prompt: str = "a fox nobody may read about") -> None:
    try:
        fail(prompt)
    except ValueError:
        log.exception("task %s failed in a way that its provider does not know: %s", TASK, prompt)


async def test_an_error_of_the_log_is_one_event_with_its_ids(reports, project):
    with bound(task_id=TASK, request_id="r-1", trace_id=TRACE, span_id=SPAN):
        logged()
    await reports.close(ROOMY_S)
    (event,) = project.events
    assert (event["environment"], event["release"]) == ("test", "genpulse@v1.2.0+abc")
    assert event["tags"] == {
        "process": "worker",
        "task_id": TASK,
        "request_id": "r-1",
        "trace_id": TRACE,
        "span_id": SPAN,
    }
    assert event["contexts"]["trace"] == {"trace_id": TRACE, "span_id": SPAN}
    assert event["logentry"] == {"message": "task %s failed in a way that its provider does not know: %s"}
    (exception,) = event["exception"]["values"]
    assert exception["type"] == "ValueError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    sent = b"".join(project.requests).decode()
    assert "a fox" not in sent
    assert "a_secret_in_a_variable" not in json.dumps([frame.get("vars") for frame in _frames(event)])


def _frames(event):
    return [frame for one in event["exception"]["values"] for frame in one["stacktrace"]["frames"]]


async def test_what_is_logged_twice_is_told_once(reports, project, caplog):
    try:
        fail("x")
    except ValueError:
        LOG.exception("it failed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    await reports.close(ROOMY_S)
    assert len(project.events) == 1
    assert [record.message for record in caplog.records] == ["it failed", "Exception in ASGI application"]


async def test_of_a_library_no_word_is_told(reports, project):
    logged(logging.getLogger("asyncio"))
    await reports.close(ROOMY_S)
    (event,) = project.events
    assert event["logentry"] == {"message": "an error in asyncio"}
    assert "a fox" not in b"".join(project.requests).decode()


async def test_warnings_and_what_happened_before_are_not_told(reports, project):
    LOG.warning("the prompt is %s", "a fox")
    LOG.info("the prompt is %s", "a fox")
    LOG.error("it failed")
    await reports.close(ROOMY_S)
    (event,) = project.events
    assert "exception" not in event
    assert "a fox" not in b"".join(project.requests).decode()


async def test_after_the_end_nothing_is_told(reports, project):
    await reports.close(ROOMY_S)
    LOG.error("it failed")
    assert sentry_sdk.get_client().is_active() is False
    assert project.events == []


@pytest.mark.parametrize("kind", ["broken", "silent", "away"])
async def test_a_project_that_takes_nothing_holds_nobody_up(kind, caplog):
    let_go = threading.Event()

    def answers() -> int:
        if kind == "broken":
            return 500
        let_go.wait(120)
        return 200

    with SentryProject(answers) as project:
        dsn = "http://0123456789abcdef@127.0.0.1:1/7" if kind == "away" else project.dsn
        reports = ErrorReports(dsn, environment="test", release="r", process="api")
        for _ in range(200):
            LOG.error("it failed")
        began = time.monotonic()
        await reports.close(0.2)
        assert time.monotonic() - began < ROOMY_S
        let_go.set()
    assert len(caplog.records) >= 200


async def test_an_error_is_still_raised_and_logged(reports, caplog):
    with pytest.raises(ValueError, match="refused"):
        fail("x")
    logged()
    assert "a fox" in caplog.text

    async def broken() -> None:
        fail("y")

    with pytest.raises(ValueError, match="y"):
        await asyncio.create_task(broken())
