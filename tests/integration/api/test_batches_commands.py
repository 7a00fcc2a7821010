"""`genpulse batches` as commands against an API."""

import json

import pytest

from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable

BLOCKED, AWAY = ModerationBlocked("no").failure, ProviderUnavailable("away").failure


@pytest.fixture
async def batch_id(api):
    """A batch of three tasks, of which one was refused and one found its provider away."""
    tasks = [{"model": "art/easel", "input": {"prompt": str(number)}} for number in range(3)]
    batch = (await api.post("/v1/tasks/batch", json={"tasks": tasks})).json
    await api.end(Failed(BLOCKED))
    await api.end(Failed(AWAY))
    return batch["id"]


async def test_batches_are_listed_and_shown(api, batch_id, genpulse):
    code, out, err = await genpulse(api, "batches", "list")
    assert (code, batch_id in out, "1 queued, 2 failed" in out) == (0, True, True), err
    code, out, _ = await genpulse(api, "batches", "list", "--json")
    assert [batch["id"] for batch in json.loads(out)] == [batch_id]
    code, out, err = await genpulse(api, "batches", "show", batch_id)
    assert (code, "3: 1 queued, 2 failed" in out) == (0, True)
    assert f"1 of the failed ones can succeed: genpulse batches retry {batch_id}" in err
    code, out, _ = await genpulse(api, "tasks", "list", "--batch", batch_id, "--failed", "--json")
    assert len(json.loads(out)) == 2


async def test_a_batch_is_run_again_and_watched(api, batch_id, genpulse):
    code, _, err = await genpulse(api, "batches", "retry", batch_id)
    assert (code, "Run again: 1. Left out: 1 not_retryable." in err) == (0, True)
    async with api.worker():
        code, out, err = await genpulse(api, "batches", "watch", batch_id)
        assert (code, "2 succeeded, 1 failed" in out) == (1, True), err
        code, out, _ = await genpulse(api, "batches", "watch", batch_id, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert sum("task" in line for line in lines) == 3
    assert lines[-1]["batch"]["ended"]
    code, _, err = await genpulse(api, "batches", "retry", batch_id)
    assert (code, "It was done with none of the tasks." in err) == (1, True)


async def test_a_batch_is_canceled(api, batch_id, genpulse):
    code, out, err = await genpulse(api, "batches", "cancel", batch_id)
    assert (code, "2 failed, 1 canceled" in out, "Asked to stop: 1." in err) == (0, True, True)
    code, out, _ = await genpulse(api, "batches", "cancel", batch_id, "--json")
    assert (code, json.loads(out)["done"]) == (0, 0)


async def test_an_unknown_batch_is_said(api, genpulse):
    for verb in ("show", "watch", "cancel", "retry"):
        code, _, err = await genpulse(api, "batches", verb, "0193a1b2-c3d4-7000-8000-000000000000")
        assert (code, "There is no batch" in err) == (1, True)
