"""No key, and no client token, reaches what another one made, on any route and by any verb of the document.

The calls are made from the OpenAPI document: a new route is tried as soon as it is there, and one whose parameters
nobody here knows fails.
"""

import json
import re
from uuid import UUID

import pytest

from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from genpulse.dialects.doors import open_doors
from genpulse.dialects.options import DialectOptions
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added
from tests.integration.api.conftest import KEY_PREFIXES

PATHS = create_app(lambda: None, ApiOptions()).openapi()["paths"]  # type: ignore[arg-type, return-value]
CALLS = [(path, verb) for path, verbs in PATHS.items() for verb in verbs if path.startswith("/v1/")]
OWNED = [(path, verb) for path, verb in CALLS if re.search(r"\{(task|batch|asset|delivery|token)_id\}", path)]
OF_TOKENS = {
    ("/v1/tasks", "post"),
    ("/v1/tasks/{task_id}", "get"),
    ("/v1/tasks/{task_id}/events", "get"),
    ("/v1/tasks/{task_id}/cancel", "post"),
    ("/v1/assets/{asset_id}", "get"),
    ("/v1/assets/{asset_id}/content", "get"),
    ("/v1/upload_urls", "post"),
    ("/v1/models/{model_id}", "get"),
    ("/v1/client_tokens/{token_id}", "get"),
}
"""All that a client token is ever good for. Whoever adds a call here says why a page may make it."""
DOORS = frozenset({"replicate", "fal", "openai"})
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
    token = (await api.post("/v1/client_tokens", json={"tasks": [task["id"]]}, headers=headers)).json
    ids = {"task_id": task["id"], "batch_id": batch["id"], "asset_id": asset_id, "delivery_id": task["id"]}
    return ids | {"token_id": token["id"]}, headers


@pytest.fixture
async def pages(api, mine):
    """A page that may do all that a client token is ever good for, on tasks of its own, by the same key."""
    _, headers = mine
    wanted = {"models": ["art/easel"], "max_tasks": 100, "uploads": {"max_files": 100}}
    token = (await api.post("/v1/client_tokens", json=wanted, headers=headers)).json
    page = {"Authorization": f"Bearer {token['token']}"}
    async with api.worker():
        task = (await api.submit(headers=page | {"Prefer": "wait=20"})).json
    ids = {"task_id": task["id"], "asset_id": task["outputs"][0]["id"], "token_id": token["id"]}
    return mine[0] | ids, page


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


@pytest.mark.parametrize(("path", "verb"), OWNED)
async def test_a_client_token_reaches_nothing_else_of_its_key(api, mine, pages, path, verb):
    ids, own = mine
    _, page = pages
    answer = await api.call(verb.upper(), filled(path, known(ids)), headers=page)
    assert answer.status == (404 if (path, verb) in OF_TOKENS else 403), answer.body
    _, other = await added(api.services.keys)
    wanted = {"models": ["art/easel"]}
    stranger = (await api.post("/v1/client_tokens", json=wanted, headers=other)).json
    headers = {"Authorization": f"Bearer {stranger['token']}"}
    for id_set in (ids, pages[0]):
        answer = await api.call(verb.upper(), filled(path, known(id_set)), headers=headers)
        assert answer.status in {403, 404}, answer.body
    assert (await api.get(f"/v1/tasks/{ids['task_id']}", headers=own)).json["status"] == "succeeded"


@pytest.mark.parametrize(("path", "verb"), [*CALLS, ("/v1/nothing", "get"), ("/v1/tasks", "trace")])
async def test_a_client_token_is_good_for_these_calls_alone(api, pages, path, verb):
    ids, page = pages
    body = {"model": "art/easel", "input": {"prompt": "a fox"}} if (path, verb) == ("/v1/tasks", "post") else None
    answer = await api.call(verb.upper(), filled(path, known(ids)), headers=page, json=body)
    if (path, verb) in OF_TOKENS:
        assert 200 <= answer.status < 300, answer.body
        if verb == "get":
            head = await api.call("HEAD", filled(path, known(ids)), headers=page)
            assert (head.status, head.body) == (answer.status, b"")
    elif path != "/v1/uploads/{upload_id}":
        answer.problem(403, "outside_client_token")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/replicate/v1/predictions", "POST"),
        ("/replicate/v1/account", "GET"),
        ("/fal/queue/art/easel", "POST"),
        ("/fal/run/art/easel", "POST"),
        ("/openai/v1/models", "GET"),
        ("/openai/v1/images/generations", "POST"),
    ],
)
async def test_doors_refuse_a_client_token_in_their_own_words(serve, path, method):
    api = await serve(
        ApiOptions(api_key_prefixes=KEY_PREFIXES),
        doors=open_doors(DialectOptions(DOORS, dict.fromkeys(DOORS, 1))),
    )
    _, headers = await added(api.services.keys)
    token = (await api.post("/v1/client_tokens", json={"models": ["art/easel"]}, headers=headers)).json
    page = {"Authorization": f"Bearer {token['token']}"}
    answer = await api.call(method, path, headers=page, json={} if method == "POST" else None)
    assert answer.status == 403, answer.body
    assert answer.headers["Content-Type"].startswith(
        "application/json" if "replicate" not in path else "application/"
    )
    assert b"client token" in answer.body


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
