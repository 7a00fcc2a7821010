"""The short way and the long way give the same answers."""

from uuid import UUID


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
