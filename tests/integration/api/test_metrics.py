"""What is counted."""

from prometheus_client.parser import text_string_to_metric_families


async def samples(api):
    answer = await api.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.body.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def counted(figures, route, method, status):
    labels = sorted({"route": route, "method": method, "status": status}.items())
    return figures.get(("genpulse_http_requests_total", *labels), 0)


async def test_requests_are_counted_by_route_and_not_by_path(api):
    ids = [(await api.submit()).json["id"] for _ in range(3)]
    for task_id in ids:
        await api.get(f"/v1/tasks/{task_id}")
        await api.post(f"/v1/tasks/{task_id}/cancel")
    await api.get("/v1/tasks/nonsense")
    await api.get("/v1/nothing/at/all")
    await api.call("PROPFIND", "/v1/tasks")
    figures = await samples(api)
    assert counted(figures, "/v1/tasks", "POST", "202") == 3
    assert counted(figures, "/v1/tasks/{task_id}", "GET", "200") == 3
    assert counted(figures, "/v1/tasks/{task_id}", "GET", "404") == 1
    assert counted(figures, "/v1/tasks/{task_id}/cancel", "POST", "200") == 3
    assert counted(figures, "unmatched", "GET", "404") == 1
    assert counted(figures, "/v1/tasks", "other", "405") == 1
    assert not any(ids[0] in str(key) for key in figures)
    latency = ("genpulse_http_response_start_seconds_count", ("method", "POST"), ("route", "/v1/tasks"))
    assert figures[latency] == 3


async def test_tasks_and_the_queue_are_shown(api):
    first = (await api.submit()).json
    await api.submit(headers={"Idempotency-Key": "k"})
    await api.submit(headers={"Idempotency-Key": "k"})
    figures = await samples(api)
    assert figures["genpulse_tasks", ("status", "queued")] == 2
    assert figures["genpulse_tasks", ("status", "running")] == 0
    assert figures["genpulse_tasks_submitted_total", ("model", "art/easel")] == 2
    assert figures[("genpulse_queue_depth",)] == 2
    assert figures[("genpulse_database_up",)] == 1
    assert first["status"] == "queued"


async def test_figures_are_there_while_the_database_is_away(api):
    await samples(api)
    api.store.away = True
    figures = await samples(api)
    assert figures[("genpulse_database_up",)] == 0
    assert ("genpulse_tasks", ("status", "queued")) not in figures
    assert counted(figures, "/metrics", "GET", "200") == 1


async def test_each_application_counts_for_itself(serve):
    one, two = await serve(), await serve()
    await one.submit()
    assert counted(await samples(two), "/v1/tasks", "POST", "202") == 0
