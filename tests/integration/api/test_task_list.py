"""The list of tasks."""

import pytest


async def submit_many(api, count):
    return [(await api.submit()).json["id"] for _ in range(count)]


async def test_pages_follow_each_other_newest_first(api):
    ids = await submit_many(api, 5)
    seen, cursor = [], ""
    while cursor is not None:
        page = (await api.get("/v1/tasks", params={"limit": "2", "cursor": cursor})).json
        assert 1 <= len(page["data"]) <= 2
        seen += [task["id"] for task in page["data"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]


async def test_a_full_last_page_has_no_cursor(api):
    await submit_many(api, 2)
    assert (await api.get("/v1/tasks?limit=2")).json["next_cursor"] is None


async def test_new_tasks_do_not_move_a_page(api):
    ids = await submit_many(api, 4)
    first = (await api.get("/v1/tasks?limit=2")).json
    await submit_many(api, 3)
    second = (await api.get("/v1/tasks", params={"limit": "2", "cursor": first["next_cursor"]})).json
    assert [task["id"] for task in second["data"]] == ids[1::-1]


async def test_filters(api):
    queued, canceled = await submit_many(api, 2)
    await api.post(f"/v1/tasks/{canceled}/cancel")

    async def found(query):
        return [task["id"] for task in (await api.get(f"/v1/tasks?{query}")).json["data"]]

    assert await found("status=queued") == [queued]
    assert await found("status=canceled&kind=text-to-image&provider=art") == [canceled]
    assert await found("kind=text-to-video") == []
    assert await found("provider=nobody") == []


async def test_tasks_by_the_beginning_of_their_id(api):
    ids = await submit_many(api, 3)
    for length in (1, 9, 13, 36):
        wanted = [each for each in ids[::-1] if each.startswith(ids[0][:length])]
        seen, cursor = [], ""
        while cursor is not None:
            query = {"id_prefix": ids[0][:length], "limit": "1", "cursor": cursor}
            page = (await api.get("/v1/tasks", params=query)).json
            seen += [task["id"] for task in page["data"]]
            cursor = page["next_cursor"]
        assert seen == wanted
    page = (await api.get(f"/v1/tasks?limit=1&id_prefix={ids[0][:4]}")).json
    if page["next_cursor"]:
        assert (await api.get(f"/v1/tasks?limit=1&cursor={page['next_cursor']}")).status == 400


async def test_a_query_that_does_not_fit_is_refused(api):
    for query, parameter in [
        ("id_prefix=", "id_prefix"),
        ("id_prefix=x", "id_prefix"),
        ("id_prefix=0193A", "id_prefix"),
        ("id_prefix=-", "id_prefix"),
        ("id_prefix=0193a1b2c", "id_prefix"),
        ("id_prefix=" + "0" * 37, "id_prefix"),
        ("status=done", "status"),
        ("status=%00", "status"),
        ("kind=Text%20To", "kind"),
        ("provider=a%00b", "provider"),
        ("provider=", "provider"),
        ("status=", "status"),
        ("kind=", "kind"),
        ("code=nonsense", "code"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("stats=queued", "stats"),
        ("cursor=" + "a" * 201, "cursor"),
    ]:
        problem = (await api.get(f"/v1/tasks?{query}")).problem(422, "invalid_input")
        assert problem["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize("word", ["0193A", "x", "-", "0193a1b2c"])
async def test_what_begins_no_id_is_told_without_a_pattern(api, word):
    problem = (await api.get(f"/v1/tasks?id_prefix={word}")).problem(422, "invalid_input")
    said = "Input should be the beginning of an id, in small letters, such as 0193a1b2-c3d4"
    assert problem["errors"] == [{"parameter": "id_prefix", "detail": said}]


async def test_a_cursor_that_was_tampered_with_is_refused(api):
    await submit_many(api, 3)
    cursor = (await api.get("/v1/tasks?limit=1")).json["next_cursor"]
    flipped = ("A" if cursor[5] != "A" else "B").join((cursor[:5], cursor[6:]))
    for wrong in (flipped, cursor[:-1], cursor + "A", cursor + "=", "x", "\u00e4", "!" * 32, cursor[::-1]):
        (await api.get("/v1/tasks", params={"cursor": wrong})).problem(400, "invalid_cursor")


async def test_a_cursor_belongs_to_its_filters(api):
    await submit_many(api, 3)
    cursor = (await api.get("/v1/tasks?limit=1&status=queued")).json["next_cursor"]
    same = await api.get("/v1/tasks", params={"status": "queued", "cursor": cursor})
    assert len(same.json["data"]) == 2
    (await api.get("/v1/tasks", params={"cursor": cursor})).problem(400, "invalid_cursor")
    other = {"status": "failed", "cursor": cursor}
    (await api.get("/v1/tasks", params=other)).problem(400, "invalid_cursor")


async def test_failed_tasks_by_their_code(api):
    api.easel.failures = 3
    async with api.worker():
        rejected = await submit_many(api, 3)
        for task in rejected:
            assert (await api.ended(task))["error"]["code"] == "provider_rejected"
    first = (await api.get("/v1/tasks?code=provider_rejected&limit=2")).json
    assert [task["id"] for task in first["data"]] == rejected[:0:-1]
    following = {"code": "provider_rejected", "limit": "2", "cursor": first["next_cursor"]}
    second = (await api.get("/v1/tasks", params=following)).json
    assert ([task["id"] for task in second["data"]], second["next_cursor"]) == (rejected[:1], None)
    (await api.get("/v1/tasks", params={**following, "code": "timeout"})).problem(400, "invalid_cursor")
    assert (await api.get("/v1/tasks?code=timeout")).json["data"] == []
    assert (await api.get("/v1/tasks?code=")).problem(422, "invalid_input")["errors"][0]["parameter"] == "code"


@pytest.mark.parametrize(
    ("name", "near"), [("statuss", "status"), ("Kind", "kind"), ("provider_name", "provider"), ("zzz", "")]
)
async def test_an_unknown_parameter_comes_with_the_one_that_is_like_it(api, name, near):
    problem = (await api.get(f"/v1/tasks?{name}=x")).problem(422, "invalid_input")
    (error,) = problem["errors"]
    assert problem["detail"].endswith(f"Did you mean {near}?" if near else "cursor.")
    assert error["parameter"] == name
    assert (
        "there are status, kind, provider, model, key, batch, ids, text, code, metadata.<name>" in error["detail"]
    )
    assert error["detail"].endswith(f"Did you mean {near}?" if near else "cursor")


@pytest.mark.parametrize("times", [1, 2], ids=["unknown", "doubled"])
async def test_many_parameters_that_do_not_fit_make_no_long_answer(api, times):
    query = "&".join(times * [f"a{number}=1" for number in range(1500)])
    problem = (await api.get(f"/v1/tasks?{query}")).problem(422, "invalid_input")
    assert len(problem["errors"]) == 100


async def test_a_long_name_of_a_parameter_is_cut(api):
    answer = await api.get(f"/v1/tasks?{'a' * 5000}=1")
    answer.problem(422, "invalid_input")
    assert len(answer.body) < 1000


async def test_a_parameter_that_comes_twice_is_refused(api):
    problem = (await api.get("/v1/tasks?limit=1&status=queued&limit=2")).problem(422, "invalid_input")
    assert problem["errors"] == [{"parameter": "limit", "detail": "It is given more than once; give it once"}]
