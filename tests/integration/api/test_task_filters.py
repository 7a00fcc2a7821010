"""Every filter of the list of tasks, as callers say it."""

import pytest

from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added

MOMENT = "2030-01-31T12:00:00Z"


@pytest.fixture
async def tasks(either):
    """The ids of three tasks, which differ in everything, and an API over each of the two stores."""
    bodies = (
        {"model": "art/easel", "input": {"prompt": "a red fox"}, "metadata": {"customer": "acme", "a.b": "1"}},
        {"model": "art/print", "input": {"prompt": "a wolf"}, "metadata": {"customer": "beta"}},
        {"model": "art/print", "kind": "text-to-video", "input": {"prompt": "a fox, a wolf"}},
    )
    for body in bodies:
        body.setdefault("kind", "text-to-image")
    return either, [(await either.post("/v1/tasks", json=body)).json["id"] for body in bodies]


async def found(tasks, query, **options):
    api, ids = tasks
    answer = await api.get(f"/v1/tasks?{query}", encoded=True, **options)
    assert answer.status == 200, answer.body
    return [ids.index(task["id"]) for task in answer.json["data"]]


async def test_values_of_a_parameter_are_alternatives_and_parameters_are_not(tasks):
    assert await found(tasks, "model=art/print") == [2, 1]
    assert await found(tasks, "kind=text-to-video&kind=text-to-image") == [2, 1, 0]
    assert await found(tasks, "model=art/print&kind=text-to-image") == [1]
    assert await found(tasks, "status=queued&status=failed&provider=art&provider=x") == [2, 1, 0]


async def test_metadata(tasks):
    assert await found(tasks, "metadata.customer=acme") == [0]
    assert await found(tasks, "metadata.customer=acme&metadata.customer=beta") == [1, 0]
    assert await found(tasks, "metadata.customer=acme&metadata.a.b=1") == [0]
    assert await found(tasks, "metadata.customer=beta&metadata.a.b=1") == []
    assert await found(tasks, "metadata.customer=") == []


async def test_words(tasks):
    assert await found(tasks, "text=FOX") == [2, 0]
    assert await found(tasks, "text=fox+wolf") == [2]
    assert await found(tasks, "text=red&text=wol") == [2, 1, 0]


async def test_ids(tasks):
    _, ids = tasks
    assert await found(tasks, f"ids={ids[0]},{ids[2]}&ids={ids[2]}") == [2, 0]
    assert await found(tasks, f"ids={ids[0]}&kind=text-to-video") == []


async def test_moments(tasks):
    api, ids = tasks
    created = (await api.get(f"/v1/tasks/{ids[1]}")).json["created_at"]
    assert await found(tasks, f"created_after={created}") == [2, 1]
    assert await found(tasks, f"created_before={created.replace('Z', '+00:00')}") == [0]
    assert await found(tasks, "created_after=2000-01-01&created_before=2999-12-31") == [2, 1, 0]
    assert await found(tasks, f"created_after={MOMENT}&created_before=2030-02-01") == []


async def test_pages_keep_their_filter(tasks):
    api, ids = tasks
    query = {"text": "fox", "limit": "1", "created_after": "2000-01-01"}
    first = (await api.get("/v1/tasks", params=query)).json
    second = (await api.get("/v1/tasks", params={**query, "cursor": first["next_cursor"]})).json
    assert [first["data"][0]["id"], second["data"][0]["id"]] == [ids[2], ids[0]]
    assert second["next_cursor"] is None
    for change in ({"text": "wolf"}, {"metadata.a": "1"}, {"created_after": "2000-01-02"}, {"model": "art/easel"}):
        other = {**query, **change, "cursor": first["next_cursor"]}
        (await api.get("/v1/tasks", params=other)).problem(400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("metadata.=x", "metadata."),
        (f"metadata.{'a' * 65}=x", f"metadata.{'a' * 65}"),
        (f"metadata.a={'x' * 513}", "metadata.a"),
        ("metadata.a=%00", "metadata.a"),
        ("metadata.a%00=x", "metadata.a\ufffd"),
        ("metadata=x", "metadata"),
        ("metadata[a]=x", "metadata[a]"),
        ("&".join(f"metadata.a{number}=x" for number in range(21)), "metadata"),
        ("text=", "text"),
        ("text=%2C%20-", "text"),
        (f"text={'x' * 201}", "text"),
        ("text=fox%00", "text"),
        ("model=", "model"),
        ("model=%00", "model"),
        ("key=", "key"),
        ("key=nobody", "key"),
        ("ids=", "ids"),
        ("ids=x", "ids"),
        ("ids=" + ",".join(["00000000-0000-7000-8000-000000000000"] * 101), "ids"),
        ("&".join(["provider=x"] * 21), "provider"),
        ("status=queued&status=done", "status"),
        ("created_after=", "created_after"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2030-02-30", "created_after"),
        ("created_after=2030-01-31T12:00:00", "created_after"),
        ("created_after=1767225600", "created_after"),
        ("created_before=2030-01-31T25:00:00Z", "created_before"),
        ("created_before=0000-01-01", "created_before"),
        ("created_before=2030-01-31&created_before=2030-01-30", "created_before"),
        ("limit=1&limit=1", "limit"),
        ("metdata.customer=acme", "metdata.customer"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(api, query, parameter):
    problem = (await api.get(f"/v1/tasks?{query}", encoded=True)).problem(422, "invalid_input")
    assert problem["errors"][0]["parameter"] == parameter
    assert {place["parameter"] for place in problem["errors"]} == {parameter}
    assert len(problem["errors"]) <= query.count("=")


@pytest.mark.parametrize(
    "moment",
    [
        "2030-01-31T12:00:00.123456789Z",
        "2030-01-31t12:00:00z",
        "2030-01-31%2012:00:00%2B02:00",
        "2030-01-31T12:00:00+02:00",
        "2030-06-30T23:59:60Z",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-12:00",
        "1900-01-01",
    ],
)
async def test_moments_are_taken_as_they_are_written(either, moment):
    for name in ("created_after", "created_before"):
        assert (await either.get(f"/v1/tasks?{name}={moment}", encoded=True)).status == 200


async def test_a_key_sees_its_own_tasks_and_an_admin_those_of_each(either):
    keys = either.services.keys
    one, own = await added(keys, name="shop")
    _, other = await added(keys, name="lab")
    _, again = await added(keys, name="shop")
    _, admin = await added(keys, name="boss", scopes=frozenset({Scope.ADMIN}))
    ids = [(await either.submit(headers=headers)).json["id"] for headers in (own, other, again)]
    tasks = either, ids
    assert await found(tasks, "", headers=own) == [0]
    assert await found(tasks, "key=shop", headers=own) == [0]
    assert await found(tasks, f"key={one.id}", headers=own) == [0]
    assert await found(tasks, "text=fox&provider=art", headers=other) == [1]
    assert await found(tasks, f"ids={','.join(ids)}", headers=other) == [1]
    assert await found(tasks, "key=shop", headers=admin) == [2, 0]
    assert await found(tasks, f"key={str(one.id).upper()}", headers=admin) == [0]
    assert await found(tasks, "key=shop&key=lab", headers=admin) == [2, 1, 0]
    assert await found(tasks, "", headers=admin) == [2, 1, 0]
    (await either.get("/v1/tasks?key=lab", headers=own)).problem(403, "insufficient_scope")
    (await either.get("/v1/tasks?key=none", headers=own)).problem(403, "insufficient_scope")
    problem = (await either.get("/v1/tasks?key=none", headers=admin)).problem(422, "invalid_input")
    assert problem["errors"][0]["parameter"] == "key"
