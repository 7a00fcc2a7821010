"""Models, collections, deployments and the small answers of Replicate's API over HTTP."""

import pytest

from genpulse.domain.routing.route import Route, Routes, RouteStep
from tests.api_keys import added

API = "/replicate/v1"


async def test_a_model_has_one_version_with_its_schema(served):
    document = (await served.get(f"{API}/models/art/press")).json
    version = document["latest_version"]
    assert (document["owner"], document["name"], document["visibility"]) == ("art", "press", "public")
    assert document["url"] == f"{served.url}{API}/models/art/press"
    assert version["id"] == b"art/press".hex()
    schemas = version["openapi_schema"]["components"]["schemas"]
    assert schemas["Input"]["properties"]["prompt"] == {"title": "Prompt", "type": "string", "x-order": 0}
    assert schemas["Output"] == {"type": "array", "items": {"type": "string", "format": "uri"}, "title": "Output"}
    assert (await served.get(f"{API}/models/art/press/versions")).json["results"] == [version]
    assert (await served.get(f"{API}/models/art/press/versions/{version['id']}")).json == version


async def test_a_field_for_a_file_is_an_address(served):
    version = (await served.get(f"{API}/models/art/copier")).json["latest_version"]
    schemas = version["openapi_schema"]["components"]["schemas"]
    assert schemas["Input"]["properties"]["image"]["format"] == "uri"
    assert schemas["Output"] == {"type": "string", "format": "uri", "title": "Output"}


@pytest.mark.parametrize("path", ["art/none", "art/press/versions/00", "none/press", "art/press/versions/zz"])
async def test_what_is_not_there_is_not_found(served, path):
    answer = await served.get(f"{API}/models/{path}")
    assert (answer.status, answer.json["title"]) == (404, "Not found")


async def test_models_are_listed_page_by_page(served, monkeypatch):
    monkeypatch.setattr("genpulse.dialects.replicate.models.calls.PAGE", 3)
    first = (await served.get(f"{API}/models")).json
    second = (await served.call("GET", first["next"].removeprefix(served.url), encoded=True)).json
    names = [f"{model['owner']}/{model['name']}" for page in (first, second) for model in page["results"]]
    assert sorted(names) == ["acme/flux", "art/copier", "art/easel", "art/press"]
    assert (first["previous"], second["next"]) == (None, None)
    assert second["previous"].endswith("cursor=0")


@pytest.mark.parametrize("cursor", ["x", "-1", "99", "", "9" * 30, "²"])
async def test_a_cursor_that_is_none_is_refused(served, cursor):
    answer = await served.get(f"{API}/models", params={"cursor": cursor})
    assert (answer.status, answer.json["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("body", ["draws", '"draws"', "DRAWS image", "easel"])
async def test_a_search_finds_all_words(served, body):
    answer = await served.call(
        "QUERY", f"{API}/models", data=body.encode(), headers={"Content-Type": "text/plain"}
    )
    assert [model["name"] for model in answer.json["results"]] == ["easel"]
    if not body.startswith('"'):
        found = (await served.get(f"{API}/search", params={"query": body})).json
        assert [entry["model"]["name"] for entry in found["models"]] == ["easel"]


async def test_a_search_that_is_too_long_is_refused(served):
    assert (await served.call("QUERY", f"{API}/models", data=b"x" * 1001)).status == 422


async def test_a_model_has_a_readme_and_no_examples(served):
    assert (await served.get(f"{API}/models/art/easel/readme")).body == b"# art/easel\n\nDraws\n"
    assert (await served.get(f"{API}/models/art/easel/examples")).json["results"] == []


async def test_kinds_are_collections(served):
    listed = (await served.get(f"{API}/collections")).json["results"]
    assert [entry["slug"] for entry in listed] == ["image-to-image", "text-to-image"]
    models = (await served.get(f"{API}/collections/image-to-image")).json["models"]
    assert [model["name"] for model in models] == ["copier"]
    assert (await served.get(f"{API}/collections/none")).status == 404


async def test_routes_are_deployments(serve, door):
    route = Route("quick", (RouteStep("art/easel"), RouteStep("art/print")), "text-to-image")
    served = await serve(doors=[door], routes=Routes({"quick": route}))
    (listed,) = (await served.get(f"{API}/deployments")).json["results"]
    assert (listed["owner"], listed["name"], listed["current_release"]["model"]) == ("dev", "quick", "art/easel")
    assert (await served.get(f"{API}/deployments/dev/quick")).json == listed
    made = await served.post(f"{API}/deployments/dev/quick/predictions", json={"input": {"prompt": "a"}})
    assert made.json["version"] == listed["current_release"]["version"]
    by_version = {"version": made.json["version"], "input": {"prompt": "a"}}
    assert (await served.post(f"{API}/predictions", json=by_version)).status == 201
    assert (await served.get(f"{API}/deployments/dev/slow")).status == 404
    assert (await served.post(f"{API}/deployments/dev/slow/predictions", json={"input": {}})).status == 404


async def test_the_account_is_the_key(served):
    assert (await served.get(f"{API}/account")).json["username"] == "dev"
    _, headers = await added(served.services.keys, name="web-shop")
    account = (await served.get(f"{API}/account", headers=headers)).json
    assert (account["type"], account["username"]) == ("organization", "web-shop")


async def test_each_key_has_a_secret_of_its_own_as_clients_read_it(served):
    (_, mine), (_, other) = await added(served.services.keys), await added(served.services.keys)
    secrets = [
        (await served.get(f"{API}/webhooks/default/secret", headers=each)).json["key"] for each in (mine, other)
    ]
    assert secrets[0] != secrets[1]
    assert all(secret.startswith("whsec_") and secret.count("_") == 1 for secret in secrets)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "models/art/easel/versions/00/trainings", 422),
        ("POST", "trainings", 422),
        ("GET", "trainings", 200),
        ("GET", "trainings/x", 404),
        ("POST", "models", 422),
        ("PATCH", "models/art/easel", 422),
        ("DELETE", "models/art/easel", 422),
        ("DELETE", "models/art/easel/versions/00", 422),
        ("POST", "deployments", 422),
        ("DELETE", "deployments/dev/x", 422),
        ("GET", "hardware", 200),
        ("GET", "nothing", 404),
        ("PUT", "predictions", 405),
    ],
)
async def test_what_cannot_work_is_refused_in_words(served, method, path, status):
    answer = await served.call(method, f"{API}/{path}")
    assert answer.status == status
    if status >= 400:
        assert answer.json["detail"].endswith(".")
