"""Tasks that are put off to a time."""

from datetime import UTC, datetime, timedelta

import pytest


def in_(**span) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


async def test_a_task_that_is_put_off_tells_until_when_and_can_be_canceled(api):
    run_at = in_(days=1)
    task = (await api.submit(run_at=run_at, deadline_s=60)).json
    assert task["status"] == "queued"
    assert task["waiting_for"] == {"what": "run_at", "since": task["created_at"]}
    assert datetime.fromisoformat(task["run_at"]) == datetime.fromisoformat(run_at)
    assert task["run_at"] == task["next_try_at"]
    assert task["run_at"].endswith("Z")
    canceled = (await api.post(f"/v1/tasks/{task['id']}/cancel")).json
    assert (canceled["status"], canceled["run_at"], canceled["next_try_at"]) == ("canceled", task["run_at"], None)


async def test_a_time_that_has_passed_is_now(api):
    task = (await api.submit(run_at="1970-01-01T00:00:00Z")).json
    assert task["run_at"] == "1970-01-01T00:00:00Z"
    assert task["waiting_for"]["what"] == "worker"
    assert task["next_try_at"] is None


@pytest.mark.parametrize("run_at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
async def test_a_task_of_the_first_moment_that_can_be_written_can_be_read(api, run_at):
    task = (await api.submit(run_at=run_at)).json
    shown = (await api.get(f"/v1/tasks/{task['id']}")).json
    assert shown["run_at"][:19] == "0001-01-01T00:00:00"
    assert [one["id"] for one in (await api.get("/v1/tasks")).json["data"]] == [task["id"]]


@pytest.mark.parametrize(
    "run_at", ["2030-01-31", "tomorrow", "", 7, 1.5, True, [], "2030-01-31T12:00:00", "9999-12-31T23:59:59-12:00"]
)
async def test_a_time_that_cannot_be_meant_is_refused(api, run_at):
    problem = (await api.submit(run_at=run_at)).problem(422, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/run_at"


async def test_a_time_too_far_ahead_is_refused_with_its_place(api):
    problem = (await api.submit(run_at=in_(days=31))).problem(422, "invalid_input")
    assert problem["errors"] == [{"pointer": "/run_at", "detail": "it is more than 30 days ahead"}]
    orders = [{"model": "art/easel", "input": {"prompt": "x"}, "run_at": in_(days=days)} for days in (29, 31)]
    problem = (await api.post("/v1/tasks/batch", json={"tasks": orders})).problem(422, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/tasks/1/run_at"]
