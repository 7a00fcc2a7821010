"""The short way and the long way give the same answers."""

import io
from uuid import UUID

import pytest


async def test_a_task_looks_the_same_both_ways(api):
    task_id = (await api.submit()).json["id"]
    short, long = await api.get(f"/v1/tasks/{task_id}"), await api.get(f"/v1/tasks/{UUID(task_id).hex}")
    assert short.json == long.json
    assert short.headers.keys() == long.headers.keys()


async def test_refusals_are_the_same_both_ways(api):
    unknown = UUID("0197a3a6-0000-7000-8000-000000000000")
    short, long = await api.get(f"/v1/tasks/{unknown}"), await api.get(f"/v1/tasks/{unknown.hex}")
    refusals = [short.problem(404, "unknown_task"), long.problem(404, "unknown_task")]
    assert refusals[0]["detail"] == refusals[1]["detail"]


async def test_both_ways_count_for_the_same_route(api):
    task_id = (await api.submit()).json["id"]
    await api.get(f"/v1/tasks/{task_id}")
    await api.get(f"/v1/tasks/{UUID(task_id).hex}")
    text = (await api.get("/metrics")).body.decode()
    assert 'genpulse_http_requests_total{method="GET",route="/v1/tasks/{task_id}",status="200"} 2.0' in text


@pytest.mark.parametrize("size", [0, 1, 20_000, (2 << 20) + 1])
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}, {"Range": "bytes=7-"}, {"If-None-Match": "*"}])
async def test_bytes_of_an_asset_are_the_same_both_ways(api, size, headers):
    content = io.BytesIO(bytes(range(256)) * (size // 256) + bytes(size % 256))
    asset = (await api.upload(content)).json
    ways = [f"/v1/assets/{name}/content" for name in (asset["id"], asset["id"].upper(), UUID(asset["id"]).hex)]
    short, upper, long = [await api.get(way, headers=headers) for way in ways]
    assert short.status == upper.status == long.status
    if short.status < 400:
        assert short.body == upper.body == long.body
    own = {"Date", "X-Request-ID", "Content-Length"}  # a refusal names its request
    shown = [{name: value for name, value in each.headers.items() if name not in own} for each in (short, long)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("asked", ["w=256", "x=1&w=7", "%77=256"])
async def test_a_width_is_asked_of_the_long_way(api, asked):
    asset = (await api.upload(b"no picture")).json
    short, long = [
        await api.get(f"/v1/assets/{name}/content?{asked}") for name in (asset["id"], UUID(asset["id"]).hex)
    ]
    assert short.status == long.status != 200


async def test_refusals_of_assets_are_the_same_both_ways(api):
    unknown = UUID("0197a3a6-0000-7000-8000-000000000000")
    short, long = [await api.get(f"/v1/assets/{name}/content") for name in (unknown, unknown.hex)]
    assert short.problem(404, "unknown_asset")["detail"] == long.problem(404, "unknown_asset")["detail"]


async def test_both_ways_to_bytes_count_for_the_same_route(api):
    asset_id = (await api.upload(b"words")).json["id"]
    await api.get(f"/v1/assets/{asset_id}/content")
    await api.get(f"/v1/assets/{UUID(asset_id).hex}/content")
    text = (await api.get("/metrics")).body.decode()
    route = 'route="/v1/assets/{asset_id}/content",status="200"'
    assert f'genpulse_http_requests_total{{method="GET",{route}}} 2.0' in text
