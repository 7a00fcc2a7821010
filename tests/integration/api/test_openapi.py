"""The OpenAPI document is complete and true."""

import re

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource

CALLS = {
    ("/v1/tasks", "post"),
    ("/v1/tasks", "get"),
    ("/v1/tasks/batch", "post"),
    ("/v1/tasks/{task_id}", "get"),
    ("/v1/tasks/{task_id}/cancel", "post"),
    ("/v1/tasks/{task_id}/retry", "post"),
    ("/v1/tasks/{task_id}/events", "get"),
    ("/v1/tasks/{task_id}/deliveries", "get"),
    ("/v1/tasks/{task_id}/deliveries/{delivery_id}/retry", "post"),
    ("/v1/uploads", "post"),
    ("/v1/assets/{asset_id}", "get"),
    ("/v1/assets/{asset_id}/content", "get"),
    ("/v1/providers", "get"),
    ("/v1/models", "get"),
    ("/v1/models/{model_id}", "get"),
    ("/v1/environment", "get"),
    ("/healthz", "get"),
    ("/readyz", "get"),
    ("/hooks/{provider}/{token}", "post"),
    ("/metrics", "get"),
}


async def document(api):
    return (await api.get("/openapi.json")).json


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


async def test_the_pages_for_people_are_there(api):
    docs = await api.get("/docs")
    assert docs.status == 200
    assert re.search("swagger", docs.body.decode(), re.IGNORECASE)


async def test_it_names_the_webhooks_that_are_sent(api):
    spec = await document(api)
    assert set(spec["webhooks"]) == {"task.succeeded", "task.failed", "task.canceled"}
    for name, calls in spec["webhooks"].items():
        schema = calls["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["type"] == {"const": name}
        assert schema["properties"]["data"] == {"$ref": "#/components/schemas/Task"}


async def test_what_may_be_left_out_of_a_body_has_no_default_of_null(api):
    """Generators of clients take a field with a default for one that is always there."""
    schemas = (await document(api))["components"]["schemas"]
    for name in ("Order", "Batch", "Retry"):
        for field, said in schemas[name]["properties"].items():
            assert said.get("default", ...) is not None, (name, field)
    assert schemas["Order"]["required"] == ["model", "input"]


async def test_the_head_of_every_get_can_be_asked_for(api):
    async with api.worker():
        task = (await api.submit(headers={"Prefer": "wait=20"})).json
    ids = {"task_id": task["id"], "asset_id": task["outputs"][0]["id"], "model_id": "art/easel"}
    for path, calls in (await document(api))["paths"].items():
        if "get" not in calls:
            continue
        filled = path.format(**ids)
        head = await api.call("HEAD", filled)
        got = await api.get(filled)
        assert (head.status, head.body) == (200, b""), path
        assert head.headers["Content-Type"] == got.headers["Content-Type"], path
    unknown = await api.call("HEAD", "/v1/tasks/00000000-0000-7000-8000-000000000000")
    assert (unknown.status, unknown.body) == (404, b"")
