"""No key reaches what another key made, on any route and by any verb that the document of the API names.

The calls are made from the OpenAPI document: a new route is tried as soon as it is there, and one whose parameters
nobody here knows fails.
"""

import json
import re
from uuid import UUID

import pytest

from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added

PATHS = create_app(lambda: None, ApiOptions()).openapi()["paths"]  # type: ignore[arg-type, return-value]
CALLS = [(path, verb) for path, verbs in PATHS.items() for verb in verbs if path.startswith("/v1/")]
OWNED = [(path, verb) for path, verb in CALLS if re.search(r"\{(task|batch|asset|delivery)_id\}", path)]
NOBODYS = "00000000-0000-7000-8000-000000000000"
SHARED = {"model_id": "art/easel", "key_id": NOBODYS, "upload_id": NOBODYS}
WRITING = {"post", "put", "patch", "delete"}


@pytest.fixture
async def mine(api):
    """An ended task of one key with an output, a batch, and the key."""
    _, headers = await added(api.services.keys)
    async with api.worker():
        task = (await api.submit(headers=headers | {"Prefer": "wait=20"})).json
    order = {"model": "art/print", "kind": "text-to-image", "input": {"prompt": "a fox"}}
    batch = (await api.post("/v1/tasks/batch", json={"tasks": [order]}, headers=headers)).json
    await api.services.store.cancel(UUID(batch["data"][0]["id"]))
    asset_id = task["outputs"][0]["id"]
    ids = {"task_id": task["id"], "batch_id": batch["id"], "asset_id": asset_id, "delivery_id": task["id"]}
    return ids, headers


def filled(path, ids):
    return re.sub(r"\{(\w+)\}", lambda name: ids[name[1]], path)


def known(ids):
    return {**SHARED, **ids}


@pytest.mark.parametrize(("path", "verb"), OWNED)
async def test_what_another_key_made_is_not_there(api, mine, path, verb):
    ids, own = mine
    _, other = await added(api.services.keys)
    answer = await api.call(verb.upper(), filled(path, known(ids)), headers=other)
    nobodys = dict.fromkeys(ids, NOBODYS)
    unknown = await api.call(verb.upper(), filled(path, known(nobodys)), headers=other)
    assert answer.status == 404, answer.body
    assert json.loads(answer.body)["code"] == json.loads(unknown.body)["code"]
    assert (await api.get(f"/v1/tasks/{ids['task_id']}", headers=own)).json["status"] == "succeeded"


@pytest.mark.parametrize(("path", "verb"), CALLS)
async def test_nobody_calls_without_a_key_once_there_is_one(api, mine, path, verb):
    api.app.state.context.authenticator._has_keys_until_s = 0
    ids, _ = mine
    answer = await api.call(verb.upper(), filled(path, known(ids)))
    assert answer.status == 401, (path, verb, answer.status)
    assert (
        await api.call(verb.upper(), filled(path, known(ids)), headers={"Authorization": "Bearer x"})
    ).status == 401


@pytest.mark.parametrize(("path", "verb"), CALLS)
async def test_a_key_that_may_only_read_or_only_write_does_nothing_else(api, mine, path, verb):
    ids, _ = mine
    scope = Scope.READ if verb in WRITING else Scope.WRITE
    _, limited = await added(api.services.keys, scopes=frozenset({scope}))
    answer = await api.call(verb.upper(), filled(path, known(ids)), headers=limited)
    answer.problem(403, "insufficient_scope")


async def test_a_list_holds_ones_own_alone(api, mine):
    ids, own = mine
    _, other = await added(api.services.keys)
    succeeded = (await api.get("/v1/tasks?status=succeeded", headers=own)).json["data"]
    assert [task["id"] for task in succeeded] == [ids["task_id"]]
    assert [batch["id"] for batch in (await api.get("/v1/batches", headers=own)).json["data"]] == [ids["batch_id"]]
    assert (await api.get("/v1/batches", headers=other)).json["data"] == []
    assert (await api.get("/v1/tasks", headers=other)).json["data"] == []
    for query in (
        "status=succeeded",
        "kind=text-to-image",
        "provider=art",
        "limit=100",
        f"batch={ids['batch_id']}",
    ):
        assert (await api.get(f"/v1/tasks?{query}", headers=other)).json["data"] == []
