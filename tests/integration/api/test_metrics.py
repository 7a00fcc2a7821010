"""What is counted."""

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from math import isnan

from prometheus_client.parser import text_string_to_metric_families

from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.errors import ProviderRejected
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.spending import Spending
from genpulse.ports import State, WorkerPresence
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import added
from tests.contract.conftest import new_task
from tests.integration.api.conftest import Print, Sketch

WORKER = WorkerPresence("w1", "höst", 17, 16, 0, ("art",))


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


async def test_what_waits_is_shown_by_provider_with_its_age(either):
    for _ in range(2):
        await either.submit(webhook_url="https://example.com/hook")
    await either.end(Failed(ProviderRejected("no").failure))
    figures = await samples(either)
    assert figures["genpulse_queue_waiting", ("provider", "art")] == 1
    assert 0 < figures["genpulse_queue_overdue_seconds", ("provider", "art")] < 600
    assert figures[("genpulse_deliveries_waiting",)] == 1
    assert 0 < figures[("genpulse_deliveries_overdue_seconds",)] < 600
    assert figures[("genpulse_budget_daily_usd",)] == float("inf")
    await either.end(Failed(ProviderRejected("no").failure))
    figures = await samples(either)
    assert figures["genpulse_queue_waiting", ("provider", "art")] == 0
    assert figures["genpulse_queue_overdue_seconds", ("provider", "art")] == 0


async def test_what_is_spent_stands_beside_the_budget(serve):
    api = await serve(spending=Spending(daily_usd=Decimal("2.50")))
    figures = await samples(api)
    assert figures[("genpulse_spent_today_usd",)] == 0
    assert figures[("genpulse_budget_daily_usd",)] == 2.5


async def test_each_budget_is_told_with_its_use(serve):
    spending = Spending(monthly_usd=Decimal(30), providers={"art": Allowance(daily_usd=Decimal("1.5"))})
    api = await serve(spending=spending)
    key, _ = await added(api.services.keys, limits=KeyLimits(daily_usd=Decimal(5), daily_tasks=9))
    figures = await samples(api)

    def told(name):
        return {
            "/".join(value for _, value in sorted(labels)): figure
            for (sample, *labels), figure in figures.items()
            if sample == name
        }

    places = {f"{key.id}/day/key": 5.0, "/month/environment": 30.0, "art/day/provider": 1.5}
    assert told("genpulse_budget_limit_usd") == places
    assert told("genpulse_budget_used_usd") == dict.fromkeys(places, 0.0)


async def test_what_a_day_may_cost_is_shown_before_the_database_answers(api):
    """It stands in the configuration; a 0 would say that nothing may be spent."""
    api.store.away = True
    figures = await samples(api)
    assert figures[("genpulse_budget_daily_usd",)] == float("inf")
    assert isnan(figures[("genpulse_spent_today_usd",)])


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


def part(name):
    return "genpulse_part_up", ("part", name)


async def test_each_part_is_shown_so_that_a_full_storage_is_seen(serve, probe):
    states = {"database": State.OK, "storage": State.DEGRADED, "redis": State.DOWN}
    api = await serve(probes=tuple(probe(name, state) for name, state in states.items()))
    figures = await samples(api)
    assert [figures[part(name)] for name in (*states, "loops", "workers")] == [1, 0.5, 0, 1, 1]


def fail(loops, name):
    try:
        raise RuntimeError("on purpose")
    except RuntimeError:
        loops.failed(name)


async def test_loops_that_failed_are_counted(api):
    for name in ("a listener", "a listener", "a sender"):
        fail(api.services.loops, name)
    figures = await samples(api)
    assert figures["genpulse_loop_failures_total", ("loop", "a listener")] == 2
    assert figures["genpulse_loop_failures_total", ("loop", "a sender")] == 1
    assert figures[part("loops")] == 0.5


async def test_loops_of_workers_are_shown_as_long_as_they_fail(api):
    await api.services.presence.beat(replace(WORKER, failing=("the sweep",)), 60)
    await api.services.presence.beat(replace(WORKER, name="w2"), 60)
    figures = await samples(api)
    failing = ("genpulse_worker_loop_failing", ("loop", "the sweep"), ("worker", "w1"))
    assert (figures[failing], figures[part("workers")], figures[("genpulse_workers",)]) == (1, 0.5, 2)
    await api.services.presence.beat(WORKER, 60)
    figures = await samples(api)
    assert failing not in figures
    assert figures[part("workers")] == 1


async def test_a_scrape_takes_no_longer_than_it_may(serve, probe):
    api = await serve(probes=(probe("storage", State.OK, delay_s=600), probe("database", State.OK)))
    began_at = time.monotonic()
    figures = await samples(api)
    assert time.monotonic() - began_at < 60
    assert figures[part("database")] == 1
    assert 0 in [value for (name, *_), value in figures.items() if name == "genpulse_part_up"]


async def test_models_that_callers_name_as_they_like_are_one_figure(serve):
    sketch = Model("listed", ("text-to-image",), Sketch, Print())
    provider = Provider("art", (sketch,), find_model=lambda name: replace(sketch, name=name))
    api = await serve(catalogue=LoadedCatalogue([provider]))
    for name in ("listed", "one", "two"):
        assert (await api.submit(f"art/{name}")).status == 202
    figures = await samples(api)
    submitted = {key[1][1]: value for key, value in figures.items() if key[0] == "genpulse_tasks_submitted_total"}
    assert submitted == {"art/listed": 1, "art/other": 2}


async def test_money_is_counted_from_the_first_look_on_and_once(either):
    async def submitted(model):
        await either.services.store.submit(new_task(provider="art", model=model, price_usd=Decimal("0.5")))

    def money(figures):
        return {key[1:]: value for key, value in figures.items() if key[0] == "genpulse_money_usd_total"}

    await submitted("art/easel")
    assert money(await samples(either)) == {}
    await submitted("art/easel")
    await submitted("art/of-somebody")
    await either.end(Succeeded((), Cost(Decimal("0.1"))))
    await asyncio.gather(*(samples(either) for _ in range(5)))
    assert money(await samples(either)) == {
        (("entry", entry), ("model", model), ("provider", "art")): value
        for entry, model, value in [
            ("reserved", "art/easel", 0.5),
            ("reserved", "art/other", 0.5),
            ("settled", "art/easel", 0.1),
            ("released", "art/easel", 0.4),
        ]
    }
