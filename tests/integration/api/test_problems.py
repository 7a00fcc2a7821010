"""Bad input gets a clear error, and nothing is lost."""

import json
import random

from genpulse.api.options import ApiOptions

JSON = {"Content-Type": "application/json"}


def order(**changes):
    return {"model": "art/easel", "input": {"prompt": "x"}} | changes


async def test_an_unknown_model_is_named_with_near_matches(api):
    problem = (await api.submit(model="art/easle")).problem(422, "unknown_model")
    assert "art/easel" in problem["detail"]


async def test_an_order_without_a_model_wants_a_route_or_one(api):
    problem = (await api.submit(model=None)).problem(422, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/model"]
    (await api.submit(model=None, kind="text-to-image")).problem(422, "unknown_route")


async def test_an_unknown_kind_is_refused(api):
    problem = (await api.submit(kind="text-to-video")).problem(422, "unknown_kind")
    assert "text-to-image" in problem["detail"]


async def test_a_model_of_several_kinds_wants_to_know_which(api):
    problem = (await api.submit(model="art/print")).problem(422, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/kind"


async def test_input_that_does_not_fit_the_schema_is_refused_place_by_place(api):
    refused = await api.submit(input={"width": 5000, "colour": "red"})
    errors = refused.problem(422, "invalid_input")["errors"]
    assert {error["pointer"] for error in errors} == {"/input/prompt", "/input/width", "/input/colour"}


async def test_a_body_that_does_not_fit_is_refused_with_the_place(api):
    for changes, pointer in [
        ({"model": ""}, "/model"),
        ({"model": "m" * 201}, "/model"),
        ({"model": 3}, "/model"),
        ({"model": []}, "/model"),
        ({"model": ["sandbox/noop", ""]}, "/model/1"),
        ({"input": []}, "/input"),
        ({"input": None}, "/input"),
        ({"priority": "urgent"}, "/priority"),
        ({"priority": 10}, "/priority"),
        ({"deadline_s": 0}, "/deadline_s"),
        ({"deadline_s": -1}, "/deadline_s"),
        ({"deadline_s": "600"}, "/deadline_s"),
        ({"deadline_s": True}, "/deadline_s"),
        ({"deadline_s": 30 * 24 * 3600 + 1}, "/deadline_s"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"metadata": {"k" * 65: "v"}}, f"/metadata/{'k' * 65}"),
        ({"metadata": {"a/b~c": "v" * 513}}, "/metadata/a~1b~0c"),
        ({"metadata": {str(number): "v" for number in range(65)}}, "/metadata"),
        ({"webhook_url": "ftp://a.example/"}, "/webhook_url"),
        ({"webhook_url": "https:///path"}, "/webhook_url"),
        ({"webhook_url": "https://a.example:99999/"}, "/webhook_url"),
        ({"webhook_url": "https://a.example/ x"}, "/webhook_url"),
        ({"webhook_url": "nonsense"}, "/webhook_url"),
        ({"webhook_url": "http://127.1/"}, "/webhook_url"),
        ({"webhook_url": "http://0177.0.0.1:8000/x"}, "/webhook_url"),
        ({"webhook_url": "http://2130706433/"}, "/webhook_url"),
        ({"webhook_url": "https://a:b@0x7f.1/"}, "/webhook_url"),
        ({"webhook_url": "http://127.0.0.1./"}, "/webhook_url"),
        ({"webhook_url": "https://a.example/" + "x" * 2048}, "/webhook_url"),
        ({"prompt": "x"}, "/prompt"),
        ({"input": {"prompt": "a\0b"}}, "/input/prompt"),
        ({"input": {"prompt": "x", "a\0": [1]}}, "/input"),
        ({"metadata": {"k": "\0"}}, "/metadata/k"),
        ({"metadata": {"k": "\ud83d"}}, "/metadata/k"),
        ({"metadata": {"\udc00/": "x"}}, "/metadata"),
        ({"input": {"prompt": ["\U0001f600", {"\ud83d": "x"}]}}, "/input/prompt/1"),
    ]:
        problem = (await api.post("/v1/tasks", json=order(**changes))).problem(422, "invalid_input")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
        assert (await api.get("/v1/tasks")).json["data"] == []


async def test_a_number_beyond_all_bounds_is_refused(api):
    body = b'{"model": "art/easel", "input": {"prompt": "x", "width": 1e999}}'
    problem = (await api.post("/v1/tasks", data=body, headers=JSON)).problem(422, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/input/width"


async def test_broken_json_is_refused(api):
    for body in [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1} {}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a": ' + b"1" * 5000 + b"}",
        '{"model": "art/easel"}'.encode("utf-16"),
    ]:
        for path in ("/v1/tasks", "/v1/tasks/batch"):
            (await api.post(path, data=body, headers=JSON)).problem(400, "invalid_json")


async def test_json_that_is_no_object_is_refused(api):
    for body in [b"[]", b"null", b"1", b'"text"']:
        problem = (await api.post("/v1/tasks", data=body, headers=JSON)).problem(422, "invalid_input")
        assert problem["errors"][0]["pointer"] == ""


async def test_a_wrong_content_type_is_refused(api):
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "", "json"]:
        body = json.dumps(order()).encode()
        refused = await api.post("/v1/tasks", data=body, headers={"Content-Type": content_type})
        assert "application/json" in refused.problem(415, "unsupported_media_type")["detail"]


async def test_a_compressed_body_is_refused(api):
    headers = JSON | {"Content-Encoding": "br"}
    (await api.post("/v1/tasks", data=b"xx", headers=headers)).problem(415, "unsupported_media_type")


async def test_parameters_of_the_content_type_are_no_matter(api):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await api.post("/v1/tasks", data=json.dumps(order()), headers=headers)).status == 202


async def test_nothing_at_a_path_is_a_problem_too(api):
    problem = (await api.get("/v1/nothing")).problem(404, "not_found")
    assert problem["instance"] == "/v1/nothing"
    (await api.get("/v1/tasks/")).problem(404, "not_found")
    (await api.get("/")).problem(404, "not_found")


async def test_a_method_that_a_path_does_not_take_names_those_that_it_takes(api):
    refused = await api.call("DELETE", "/v1/tasks")
    refused.problem(405, "method_not_allowed")
    assert refused.headers["Allow"] == "GET, HEAD, POST"
    batch = await api.get("/v1/tasks/batch")
    batch.problem(405, "method_not_allowed")
    assert batch.headers["Allow"] == "POST"
    asset = await api.post("/v1/assets/0197a3a6-0000-7000-8000-000000000000/content")
    assert asset.headers["Allow"] == "GET, HEAD"


async def test_a_database_that_is_away_is_told_and_nothing_is_accepted(api):
    api.store.away = True
    for refused in (await api.submit(), await api.get("/v1/tasks")):
        refused.problem(503, "database_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    api.store.away = False
    assert (await api.get("/v1/tasks")).json["data"] == []
    assert (await api.submit()).status == 202


async def test_an_error_that_nobody_foresaw_says_nothing_about_the_inside(api, caplog):
    api.storage.error = RuntimeError("/srv/secret/path")
    refused = await api.upload(b"x")
    problem = refused.problem(500, "internal")
    assert "secret" not in refused.body.decode()
    assert "log" in problem["detail"]
    assert refused.headers["X-Request-Id"] in caplog.text
    assert "/srv/secret/path" in caplog.text


async def test_a_request_id_is_taken_or_made(api):
    mine = await api.get("/healthz", headers={"X-Request-Id": "order-1042"})
    assert mine.headers["X-Request-Id"] == "order-1042"
    made = {
        (await api.get("/healthz", headers={"X-Request-Id": word})).headers["X-Request-Id"] for word in ("", "a b")
    }
    assert len(made) == 2
    assert all(len(word) == 32 for word in made)
    assert "X-Request-Id" in (await api.get("/v1/nothing")).headers
    assert "X-Request-Id" in (await api.submit()).headers


async def test_a_large_bad_batch_names_some_places_only(serve):
    api = await serve(ApiOptions())
    tasks = [{"model": 1, "input": {}}] * 1000
    problem = (await api.post("/v1/tasks/batch", json={"tasks": tasks})).problem(422, "invalid_input")
    assert len(problem["errors"]) == 100


async def test_whatever_is_sent_is_answered_and_never_with_500(api):
    chance = random.Random(11)
    valid = json.dumps(order(kind="text-to-image", metadata={"a": "b"}, deadline_s=5, priority="low")).encode()
    pieces = [
        b"\0",
        b"\\u0000",
        b"\xff",
        b"[" * 300,
        b"1e999",
        b"-",
        b'"',
        b"{",
        b"}",
        b"null",
        b"NaN",
        b"\xed\xa0\x80",
    ]
    for _ in range(300):
        body = bytearray(valid)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(body))
            body[place : place + chance.randint(0, 9)] = chance.choice(pieces)
        path = chance.choice(["/v1/tasks", "/v1/tasks/batch"])
        answer = await api.post(path, data=bytes(body), headers=JSON)
        assert answer.status in {202, 400, 422}, (bytes(body), answer.body)
        if answer.status != 202:
            answer.problem(answer.status, answer.json["code"])


async def test_whatever_path_and_query_are_asked_for_is_answered_and_never_with_500(api):
    for path in (
        "/v1/tasks?limit=" + "9" * 5000,
        "/v1/tasks?cursor=%ff%fe",
        "/v1/tasks?status=queued&status=failed",
        "/v1/tasks?%00=%00",
        "/v1/models/%00",
        "/v1/models/" + "a/" * 500,
        "/v1/models/..%2F..%2Fetc%2Fpasswd",
        "/v1/assets/%ff%fe",
        "/v1/assets/..%2f..%2fetc%2fpasswd/content",
        "/%e4/%00",
        "//v1/tasks",
        "/v1//tasks",
    ):
        answer = await api.get(path, encoded=True)
        assert answer.status in {200, 400, 404, 422}, (path, answer.body)
        if answer.status != 200:
            answer.problem(answer.status, answer.json["code"])


async def test_an_input_may_be_nested_as_deeply_as_json_is_read(api):
    nested = json.loads("[" * 150 + "]" * 150)
    assert (await api.submit(input={"prompt": "x"}, metadata={"a": json.dumps(nested)})).status == 202
    problem = (await api.submit(input={"prompt": nested})).problem(422, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/input/prompt"
