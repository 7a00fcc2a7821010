"""The service under a prefix that a proxy takes away."""

from dataclasses import replace

from genpulse.api.options import ApiOptions

JSON = {"Content-Type": "application/json"}


async def test_everything_works_under_a_prefix(serve):
    api = await serve(root_path="/media")
    task = (await api.submit()).json
    assert task["urls"]["self"] == f"{api.url}/media/v1/tasks/{task['id']}"
    assert (await api.get(f"/v1/tasks/{task['id']}")).json == task
    assert (await api.get("/v1/tasks")).json["data"] == [task]
    assert (await api.get("/docs")).status == 200


async def test_a_prefix_opens_no_door(serve):
    api = await serve(root_path="/media", environment=replace((await serve()).services.environment, name="test"))
    for path in ("/v1/tasks", "/v1/models", "/v1"):
        (await api.get(path)).problem(401, "authentication_required")


async def test_limits_hold_under_a_prefix(serve):
    api = await serve(ApiOptions(body_limit_bytes=100), root_path="/media")
    (await api.post("/v1/tasks", data=b"x" * 101, headers=JSON)).problem(413, "content_too_large")
    assert (await api.upload(b"x" * 1000)).status == 201
