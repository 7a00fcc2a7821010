"""The OpenAPI document is complete and true."""

import asyncio
import copy
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource

from genpulse.api.options import ApiOptions
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added

CALLS = {
    ("/v1/tasks", "post"),
    ("/v1/tasks", "get"),
    ("/v1/tasks/batch", "post"),
    ("/v1/tasks/actions", "post"),
    ("/v1/batches", "get"),
    ("/v1/batches/{batch_id}", "get"),
    ("/v1/batches/{batch_id}/events", "get"),
    ("/v1/batches/{batch_id}/cancel", "post"),
    ("/v1/batches/{batch_id}/retry", "post"),
    ("/v1/tasks/{task_id}", "get"),
    ("/v1/tasks/{task_id}", "delete"),
    ("/v1/tasks/{task_id}/cancel", "post"),
    ("/v1/tasks/{task_id}/retry", "post"),
    ("/v1/tasks/{task_id}/events", "get"),
    ("/v1/tasks/{task_id}/attempts", "get"),
    ("/v1/tasks/{task_id}/ledger", "get"),
    ("/v1/tasks/{task_id}/deliveries", "get"),
    ("/v1/tasks/{task_id}/deliveries/{delivery_id}/retry", "post"),
    ("/v1/usage", "get"),
    ("/v1/budgets", "get"),
    ("/v1/keys", "get"),
    ("/v1/keys", "post"),
    ("/v1/keys/{key_id}", "get"),
    ("/v1/keys/{key_id}", "patch"),
    ("/v1/keys/{key_id}", "delete"),
    ("/v1/client_tokens", "post"),
    ("/v1/client_tokens", "get"),
    ("/v1/client_tokens/{token_id}", "get"),
    ("/v1/client_tokens/{token_id}", "delete"),
    ("/v1/uploads", "post"),
    ("/v1/upload_urls", "post"),
    ("/v1/uploads/{upload_id}", "put"),
    ("/v1/assets/{asset_id}", "get"),
    ("/v1/assets/{asset_id}", "delete"),
    ("/v1/assets/{asset_id}/content", "get"),
    ("/v1/providers", "get"),
    ("/v1/models", "get"),
    ("/v1/models/{model_id}", "get"),
    ("/v1/routes", "get"),
    ("/v1/environment", "get"),
    ("/healthz", "get"),
    ("/readyz", "get"),
    ("/hooks/{provider}/{token}", "post"),
    ("/metrics", "get"),
}


_DOCUMENTS = {}
"""By the options of an API. It takes a tenth of a second to make one."""


async def document(api):
    """What an API says of itself."""
    options = str(api.app.state.context.options)
    if options not in _DOCUMENTS:
        _DOCUMENTS[options] = (await api.get("/openapi.json")).json
    return copy.deepcopy(_DOCUMENTS[options])


def check(spec, schema, value):
    """Whether a value is what the document says."""
    resource = Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema"} | spec)
    registry = Registry().with_resource("urn:spec", resource)
    absolute = {"$ref": "urn:spec" + schema["$ref"]}
    Draft202012Validator(absolute, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        value
    )


async def test_it_is_valid_and_names_every_call(api):
    spec = await document(api)
    OpenAPIV31SpecValidator(spec).validate()
    assert spec["openapi"].startswith("3.1")
    assert spec["info"]["version"] == "1.2.3"
    assert {(path, method) for path, calls in spec["paths"].items() for method in calls} == CALLS
    names = [call["operationId"] for calls in spec["paths"].values() for call in calls.values()]
    assert "submit_task" in names
    assert len(set(names)) == len(CALLS)


async def test_every_call_has_a_tag_a_summary_and_says_what_it_refuses(api):
    spec = await document(api)
    tags = {tag["name"] for tag in spec["tags"]}
    for path, calls in spec["paths"].items():
        for call in calls.values():
            assert call["summary"]
            assert set(call["tags"]) <= tags
            if path.startswith("/v1"):
                assert {"401", "403", "429", "500", "503"} <= set(call["responses"])
            for status, response in call["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert list(response["content"]) == ["application/problem+json"]


async def test_the_calls_that_may_cost_money_say_when_to_come_again(api):
    spec = await document(api)
    refusing = {
        (path, method)
        for path, calls in spec["paths"].items()
        for method, call in calls.items()
        if "402" in call["responses"]
    }
    assert refusing == {("/v1/tasks", "post"), ("/v1/tasks/batch", "post"), ("/v1/tasks/{task_id}/retry", "post")}
    for path, method in refusing:
        assert "Retry-After" in spec["paths"][path][method]["responses"]["402"]["headers"]


async def test_names_are_those_of_the_callers(api):
    spec = await document(api)
    names = set(spec["components"]["schemas"])
    assert {
        "Waiting",
        "Warning",
        "Hold",
        "Retry",
        "Task",
        "Order",
        "Asset",
        "Model",
        "Problem",
        "Failure",
        "Progress",
    } <= names
    assert not any(name.endswith("Document") for name in names)
    submit = spec["paths"]["/v1/tasks"]["post"]
    assert {parameter["name"] for parameter in submit["parameters"]} == {"Idempotency-Key", "Prefer"}
    assert "Location" in submit["responses"]["202"]["headers"]
    assert spec["paths"]["/v1/tasks"]["post"]["requestBody"]["required"] is True
    assert spec["paths"]["/v1/tasks/{task_id}/retry"]["post"]["requestBody"]["required"] is False


async def test_answers_are_what_the_document_says(api):
    spec = await document(api)

    def schema(path, method, status, media_type="application/json"):
        return spec["paths"][path][method]["responses"][status]["content"][media_type]["schema"]

    async with api.worker():
        task = await api.ended((await api.submit(metadata={"a": "b"})).json["id"])
    check(spec, schema("/v1/tasks/{task_id}", "get", "200"), (await api.submit()).json)
    upload = await api.upload(b"x")
    check(spec, schema("/v1/tasks/{task_id}", "get", "200"), task)
    check(spec, schema("/v1/tasks", "get", "200"), (await api.get("/v1/tasks")).json)
    check(spec, schema("/v1/uploads", "post", "201"), upload.json)
    check(spec, schema("/v1/models", "get", "200"), (await api.get("/v1/models")).json)
    check(spec, schema("/v1/providers", "get", "200"), (await api.get("/v1/providers")).json)
    check(spec, schema("/v1/environment", "get", "200"), (await api.get("/v1/environment")).json)
    check(spec, schema("/readyz", "get", "200"), (await api.get("/readyz")).json)
    refused = (await api.submit(input={})).json
    check(spec, schema("/v1/tasks", "post", "422", "application/problem+json"), refused)


async def test_it_names_the_webhooks_that_are_sent(api):
    spec = await document(api)
    assert set(spec["webhooks"]) == {"task.succeeded", "task.failed", "task.canceled"}
    for name, calls in spec["webhooks"].items():
        schema = calls["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["type"] == {"const": name}
        assert schema["properties"]["data"] == {"$ref": "#/components/schemas/Task"}


async def test_what_may_be_left_out_of_a_body_has_no_default(api):
    """Generators of clients take a field with a default for one that is always there."""
    schemas = (await document(api))["components"]["schemas"]
    for name in ("Order", "Batch", "Retry"):
        for field, said in schemas[name]["properties"].items():
            assert "default" not in said, (name, field)
    assert schemas["Order"]["required"] == ["input"]
    assert schemas["Order"]["properties"]["priority"]["description"].endswith('Left out, it is `"normal"`.')
    assert "required" not in schemas["Retry"]


async def test_nothing_in_a_query_or_a_header_is_null(api):
    """A query has texts alone."""
    for calls in (await document(api))["paths"].values():
        for call in calls.values():
            for parameter in call.get("parameters", ()):
                assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), parameter


async def test_what_is_left_out_of_a_problem_is_never_null(api):
    schemas = (await document(api))["components"]["schemas"]
    for name in ("Problem", "ProblemPlace"):
        assert "null" not in str(schemas[name])
    assert "errors" not in (await api.get("/nowhere")).json


async def test_every_call_tells_what_the_guards_around_it_answer(api):
    for path, calls in (await document(api))["paths"].items():
        for method, call in calls.items():
            expected = {"500"} if method == "get" else {"408", "413", "500"}
            assert expected <= set(call["responses"]), (path, method)
            for response in call["responses"].values():
                assert response["headers"]["X-Request-Id"] == {"$ref": "#/components/headers/RequestId"}


async def test_a_body_over_the_limit_is_refused_as_every_call_says(serve):
    """Also where the call reads none."""
    api = await serve(ApiOptions(body_limit_bytes=1000, upload_limit_bytes=1000))
    large = b"x" * 200_000
    for path, calls in (await document(api))["paths"].items():
        for verb in {"post", "put", "patch"} & set(calls):
            filled = re.sub(r"\{\w+\}", "00000000-0000-7000-8000-000000000000", path)
            refused = await api.call(verb, filled, data=large, headers={"Content-Type": "application/json"})
            refused.problem(413, "content_too_large")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
async def test_a_method_that_no_call_has_is_told_which_there_are(api, method):
    for path, calls in (await document(api))["paths"].items():
        if method.lower() in calls:
            continue
        filled = re.sub(r"\{\w+\}", "00000000-0000-7000-8000-000000000000", path)
        refused = await api.call(method, filled)
        refused.problem(405, "method_not_allowed")
        there_are = {name.upper() for name in calls} | ({"HEAD"} if "get" in calls else set())
        assert set(refused.headers["Allow"].split(", ")) == there_are, path


async def test_a_key_is_needed_by_every_call_but_the_servers_own(api):
    spec = await document(api)
    for path, calls in spec["paths"].items():
        for call in calls.values():
            needed = [name for words in call["security"] for name in words]
            if call["operationId"] in {"fetch_content", "watch_task"}:
                assert needed == ["apiKey", "signature"]
            elif call["operationId"] == "upload_directly":
                assert needed == ["signature"]
            else:
                assert needed == (["apiKey"] if path.startswith("/v1/") else [])
            assert set(needed) <= set(spec["components"]["securitySchemes"])


OF_BODIES = {"Content-Length", "Transfer-Encoding"}
"""A stream has no length, and the head of one ends at once."""


async def client_token(api, headers):
    """The id of one."""
    body = {"models": ["art/easel"]}
    return (await api.post("/v1/client_tokens", json=body, headers=headers)).json["id"]


async def test_the_head_of_every_get_can_be_asked_for(api):
    key, headers = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    async with api.worker():
        tasks = [{"model": "art/easel", "input": {"prompt": "x"}}]
        batch = (await api.post("/v1/tasks/batch", json={"tasks": tasks}, headers=headers)).json
        path = f"/v1/tasks/{batch['data'][0]['id']}"
        async with asyncio.timeout(60):
            while not (task := (await api.get(path, headers=headers)).json)["finished_at"]:
                await asyncio.sleep(0.01)
    ids = {
        "key_id": key.id,
        "task_id": task["id"],
        "batch_id": batch["id"],
        "asset_id": task["outputs"][0]["id"],
        "model_id": "art/easel",
        "token_id": await client_token(api, headers),
    }
    for path, calls in (await document(api))["paths"].items():
        if "get" not in calls:
            continue
        filled = path.format(**ids)
        head = await api.call("HEAD", filled, headers=headers)
        got = await api.get(filled, headers=headers)
        assert (head.status, head.body) == (200, b""), path
        assert head.headers["Content-Type"] == got.headers["Content-Type"], path
        assert set(head.headers) - OF_BODIES == set(got.headers) - OF_BODIES, path
    unknown = await api.call("HEAD", "/v1/tasks/00000000-0000-7000-8000-000000000000", headers=headers)
    assert (unknown.status, unknown.body) == (404, b"")


async def test_what_can_be_done_next_is_linked(api):
    spec = await document(api)
    calls = {call["operationId"]: (path, call) for path, verbs in spec["paths"].items() for call in verbs.values()}
    linked = set()
    for _, call in calls.values():
        for response in call["responses"].values():
            for link in response.get("links", {}).values():
                path, _ = calls[link["operationId"]]
                assert set(link["parameters"]) == set(re.findall(r"\{(\w+)\}", path))
                linked.add(link["operationId"])
    ids = r"\{(task|batch|asset|key|upload|token)_id\}"
    takes_an_id = {name for name, (path, _) in calls.items() if re.search(ids, path)}
    assert linked == takes_an_id


async def test_the_reference_lists_every_call(api):
    page = (Path(__file__).parents[3] / "docs/reference/http-api.md").read_text()
    listed = set(re.findall(r"^\| `([A-Z]+ /\S+)` \| (.+) \|$", page, re.MULTILINE))
    assert listed == {
        (f"{method.upper()} {path}", call["summary"])
        for path, calls in (await document(api))["paths"].items()
        for method, call in calls.items()
    }
