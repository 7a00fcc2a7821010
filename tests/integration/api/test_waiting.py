"""What a task waits for, what its last try said, that somebody wants it to stop: as documents and as events."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.task import Task, TaskStatus, WaitsFor
from genpulse.provider import Call, Immediate, Model, Output, Provider, Result
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Sketch, rows_on
from tests.integration.api.test_task_events import events_in

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
FAILED = ProviderUnavailable("The provider answered 503.", retry_after_s=600)
PATIENT = RetryPolicy(max_attempts=3, base_s=600, longest_s=600)


@pytest.fixture(params=["memory", "postgresql"])
async def rows(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, Any]]:
    if request.param == "memory":
        yield {}
        return
    async with rows_on(request.getfixturevalue("migrated_url"), request.getfixturevalue("pools")) as changes:
        yield changes


@dataclass
class Counter(Immediate[Sketch]):
    """Takes an order, and serves it when it is let."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    serves: asyncio.Event = field(default_factory=asyncio.Event)

    async def generate(self, call: Call[Sketch]) -> Result:
        self.asked.set()
        await self.serves.wait()
        return Result((Output(b"\x00served"),))


def watching(api, task_id, after=None):
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    return api.client.get(f"{api.url}/v1/tasks/{task_id}/events", headers=headers)


async def rest(api, task_id, after):
    async with asyncio.timeout(60), watching(api, task_id, after) as response:
        assert response.status == 200
        return [event async for event in events_in(response) if event]


async def event_where(stream, holds):
    async for event in stream:
        if event and event.name == "task" and holds(event.data):
            return event
    raise AssertionError("the stream ended before that")


async def test_a_cancel_between_two_attempts_ends_every_stream(rows, serve):
    """Also that of a client that comes back with the last event that it has seen."""
    api = await serve(retry=PATIENT, **rows)
    api.easel.failures, api.easel.error = 1, FAILED
    task_id = (await api.submit()).json["id"]
    async with api.worker(), asyncio.timeout(60), watching(api, task_id) as response:
        stream = events_in(response)
        waiting = await event_where(stream, lambda task: task["next_try_at"])
        task = waiting.data
        assert task == (await api.get(f"/v1/tasks/{task_id}")).json
        assert (task["status"], task["failures"], task["error"]) == ("queued", 1, None)
        assert task["waiting_for"]["what"] == "next_attempt"
        assert task["last_error"]["message"] == "The provider answered 503."
        due = datetime.fromisoformat(task["next_try_at"])
        assert due - datetime.fromisoformat(task["waiting_for"]["since"]) > timedelta(minutes=5)
        resumed = asyncio.create_task(rest(api, task_id, waiting.id))
        canceled = (await api.post(f"/v1/tasks/{task_id}/cancel")).json
        assert (canceled["status"], canceled["waiting_for"], canceled["last_error"]) == ("canceled", None, None)
        (done,) = [event async for event in stream if event]
    assert (done.name, done.data) == ("done", canceled)
    assert done.id > waiting.id
    assert await resumed == [done]
    assert await rest(api, task_id, waiting.id) == [done]
    again = await api.get(f"/v1/tasks/{task_id}/events", headers={"Last-Event-ID": str(done.id)})
    assert again.status == 204


async def test_a_wish_to_cancel_is_told_and_what_is_paid_for_is_kept(rows, serve):
    counter = Counter()
    shop = Provider("art", (Model("counter", ("text-to-image",), Sketch, counter),))
    api = await serve(catalogue=LoadedCatalogue([shop]), **rows)
    task_id = (await api.submit("art/counter")).json["id"]
    async with api.worker(), asyncio.timeout(60), watching(api, task_id) as response:
        stream = events_in(response)
        running = await event_where(stream, lambda task: task["status"] == "running")
        assert running.data["waiting_for"] is None
        await counter.asked.wait()
        wished = (await api.post(f"/v1/tasks/{task_id}/cancel")).json
        assert wished["status"] == "running"
        assert wished["cancel_requested_at"]
        told = await event_where(stream, lambda task: task["cancel_requested_at"])
        assert told.id > running.id
        assert told.data["status"] == "running"
        counter.serves.set()
        (done,) = [event async for event in stream if event and event.name == "done"]
    assert done.data["status"] == "succeeded"
    assert done.data["cancel_requested_at"] == wished["cancel_requested_at"]


def task(**changes):
    plain = Task(uuid4(), "dev", "text-to-image", "art", "art/easel", TaskStatus.QUEUED, {}, NOW)
    return replace(plain, **changes)


def shown(**changes):
    return TaskDocument.of(task(**changes), Links("")).model_dump(mode="json")


LATER = NOW + timedelta(seconds=4)


NEXT = {"waiting_for": WaitsFor.NEXT_ATTEMPT, "waiting_since": NOW, "next_try_at": LATER}
FREE = {"waiting_for": WaitsFor.WORKER, "waiting_since": LATER, "next_try_at": LATER}
FULL = {"status": TaskStatus.RUNNING, "waiting_for": WaitsFor.STORAGE, "waiting_since": LATER}


@pytest.mark.parametrize(
    ("changes", "what", "since", "next_try_at"),
    [
        pytest.param({}, "worker", NOW, None, id="submitted"),
        pytest.param({"retried_at": LATER}, "worker", LATER, None, id="retried by hand"),
        pytest.param(FREE, "worker", LATER, None, id="given back"),
        pytest.param(NEXT, "next_attempt", NOW, LATER, id="failed"),
        pytest.param({**NEXT, "cancel_requested_at": LATER}, "worker", LATER, None, id="to be stopped"),
        pytest.param(FULL, "storage", LATER, None, id="made and not stored"),
    ],
)
def test_whoever_does_not_go_on_says_why(changes, what, since, next_try_at):
    found = shown(**changes)
    assert found["waiting_for"]["what"] == what
    assert datetime.fromisoformat(found["waiting_for"]["since"]) == since
    assert (found["next_try_at"] and datetime.fromisoformat(found["next_try_at"])) == next_try_at


@pytest.mark.parametrize("status", [status for status in TaskStatus if status is not TaskStatus.QUEUED])
def test_whoever_goes_on_or_has_ended_waits_for_nothing(status):
    assert shown(status=status)["waiting_for"] is None


@pytest.mark.parametrize("status", TaskStatus)
def test_the_last_error_is_that_of_a_task_that_lives(status):
    last_error = shown(status=status, last_error=FAILED.failure)["last_error"]
    assert (last_error is None) is status.ended
