"""Alive and ready."""

import time

from genpulse.ports import State


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
            },
        },
    )


async def test_not_ready_when_a_part_is_down(serve, probe):
    api = await serve(probes=(probe("database", State.DOWN, "gone"), probe("storage", State.OK)))
    refused = await api.get("/readyz")
    assert (refused.status, refused.json["status"]) == (503, "not_ready")
    assert refused.json["checks"]["database"] == {"state": "down", "detail": "gone"}


async def test_a_part_that_does_not_answer_is_down_and_holds_nobody_up(serve, probe):
    api = await serve(probes=(probe("storage", State.OK), probe("database", State.OK, delay_s=30)))
    began_at = time.monotonic()
    refused = await api.get("/readyz")
    assert time.monotonic() - began_at < 4
    assert refused.status == 503
    assert refused.json["checks"]["storage"]["state"] == "ok"
    assert sorted(check["state"] for check in refused.json["checks"].values()) == ["down", "ok"]
