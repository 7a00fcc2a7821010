"""Alive and ready."""

import time
from dataclasses import replace

from genpulse.ports import State, WorkerPresence

WORKER = WorkerPresence("ill", "höst", 17, 16, 0, ("art",), ("the sweep", "the renewal of leases"))


async def test_alive_whatever_it_stands_on(api):
    api.store.away = True
    assert (await api.get("/healthz")).json == {"status": "alive"}
    assert (await api.call("HEAD", "/healthz")).status == 200


async def test_ready_when_nothing_is_down(serve, probe):
    api = await serve(probes=(probe("database", State.OK), probe("redis", State.DEGRADED, "away")))
    ready = await api.get("/readyz")
    assert (ready.status, ready.json) == (
        200,
        {
            "status": "ready",
            "checks": {
                "database": {"state": "ok", "detail": ""},
                "redis": {"state": "degraded", "detail": "away"},
                "loops": {"state": "ok", "detail": ""},
                "workers": {"state": "ok", "detail": "none is seen"},
            },
        },
    )


async def test_not_ready_when_a_part_is_down(serve, probe):
    api = await serve(probes=(probe("database", State.DOWN, "gone"), probe("storage", State.OK)))
    refused = await api.get("/readyz")
    assert (refused.status, refused.json["status"]) == (503, "not_ready")
    assert refused.json["checks"]["database"] == {"state": "down", "detail": "gone"}


async def test_a_part_that_does_not_answer_is_down_and_holds_nobody_up(serve, probe):
    api = await serve(probes=(probe("storage", State.OK), probe("database", State.OK, delay_s=600)))
    began_at = time.monotonic()
    refused = await api.get("/readyz")
    assert time.monotonic() - began_at < 60
    assert refused.status == 503
    assert refused.json["checks"]["storage"]["state"] == "ok"
    assert sorted(check["state"] for check in refused.json["checks"].values()) == ["down", "ok", "ok", "ok"]


async def test_loops_that_failed_are_named_and_keep_nobody_from_working(api):
    try:
        raise RuntimeError("on purpose")
    except RuntimeError:
        api.services.loops.failed("a listener")
    await api.services.presence.beat(WORKER, 60)
    await api.services.presence.beat(replace(WORKER, name="well", failing=()), 60)
    ready = await api.get("/readyz")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    loops, workers = ready.json["checks"]["loops"], ready.json["checks"]["workers"]
    assert loops["state"] == workers["state"] == "degraded"
    assert "a listener" in loops["detail"]
    assert workers["detail"].endswith("höst:17 (the sweep, the renewal of leases)")


async def test_workers_that_are_seen_are_counted(api):
    await api.services.presence.beat(replace(WORKER, failing=()), 60)
    assert (await api.get("/readyz")).json["checks"]["workers"] == {"state": "ok", "detail": "1 seen"}
