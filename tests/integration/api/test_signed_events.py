"""Events of a task by a signed address, as an `EventSource` reads them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from genpulse.api.options import ApiOptions
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added


def path_of(api, task):
    return task["urls"]["events"].removeprefix(api.url)


@pytest.fixture
async def mine(api):
    """The headers of a key."""
    return (await added(api.services.keys))[1]


async def ended(api, headers):
    async with api.worker():
        return (await api.submit(headers=headers | {"Prefer": "wait=20"})).json


async def test_the_address_in_a_task_needs_no_key(api, mine):
    task = await ended(api, mine)
    stream = await api.get(path_of(api, task), encoded=True)
    assert stream.status == 200
    assert b"event: done" in stream.body
    assert (await api.call("HEAD", path_of(api, task), encoded=True)).status == 200
    (await api.get(path_of(api, task).partition("?")[0])).problem(401, "authentication_required")


async def test_whoever_has_it_gets_none_that_lasts_longer(api, mine):
    task = await ended(api, mine)
    stream = (await api.get(path_of(api, task), encoded=True)).body.decode()
    shown = json.loads(next(line for line in stream.splitlines() if line.startswith("data: "))[6:])
    assert shown["urls"]["events"] == f"{api.url}/v1/tasks/{task['id']}/events"
    assert "signature=" in shown["outputs"][0]["url"]


async def test_it_runs_out(serve):
    moment = [datetime.now(UTC)]
    api = await serve(ApiOptions(events_url_s=600), now=lambda: moment[0])
    _, mine = await added(api.services.keys)
    task = (await api.submit(headers=mine)).json
    moment[0] += timedelta(seconds=600 + 900)
    (await api.get(path_of(api, task), encoded=True)).problem(403, "expired_url")


async def test_it_opens_nothing_else(api, mine):
    task, other = await ended(api, mine), await ended(api, mine)
    query = path_of(api, task).partition("?")[2]
    changed = path_of(api, task).replace("expires=1", "expires=2")
    for path in (changed, f"/v1/tasks/{other['id']}/events?{query}"):
        (await api.get(path, encoded=True)).problem(403, "invalid_signature")
    asset = task["outputs"][0]["id"]
    (await api.get(f"/v1/assets/{asset}/content?{query}", encoded=True)).problem(403, "invalid_signature")
    for path in (f"/v1/tasks/{task['id']}", f"/v1/tasks/{task['id']}/attempts", f"/v1/tasks/{task['id']}/content"):
        (await api.get(f"{path}?{query}", encoded=True)).problem(401, "authentication_required")
    (await api.post(f"/v1/tasks/{task['id']}/cancel?{query}")).problem(401, "authentication_required")


async def test_the_signature_of_an_output_is_none_of_events(api, mine):
    task = await ended(api, mine)
    asset, query = task["outputs"][0]["id"], task["outputs"][0]["url"].partition("?")[2]
    (await api.get(f"/v1/tasks/{asset}/events?{query}", encoded=True)).problem(403, "invalid_signature")
    (await api.get(f"/v1/tasks/{task['id']}/events?{query}", encoded=True)).problem(403, "invalid_signature")


async def test_a_key_that_may_not_read_gets_no_signature(api):
    _, writer = await added(api.services.keys, scopes=frozenset({Scope.WRITE}))
    assert "signature" not in (await api.submit(headers=writer)).json["urls"]["events"]
