"""Errors that have nothing to do with what is asked for, in OpenAI's shape."""

import asyncio

import pytest

from genpulse.dialects.openai.door import openai_door
from genpulse.dialects.options import DialectOptions
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.provider_account.rate import Rate
from tests.api_keys import added
from tests.integration.api.dialects.openai.conftest import OpenAI, refused

WORDS = {"model": "art/paint", "prompt": "a fox"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "", 404, "unknown_url"),
        ("POST", "/chat/completions", 404, "unknown_url"),
        ("GET", "/images/generations", 405, "method_not_allowed"),
        ("PATCH", "/videos", 405, "method_not_allowed"),
    ],
)
async def test_paths_and_methods(openai, method, path, status, code):
    refused(await openai.served.call(method, f"/openai/v1{path}"), status, code)


async def test_an_unknown_model_has_near_ones(openai):
    answer = await openai.post("/images/generations", {**WORDS, "model": "art/pain"})
    assert "art/paint" in refused(answer, 404, "model_not_found", "model")["message"]
    refused(await openai.get("/models/nothing"), 404, "model_not_found", "model")


async def test_ids_that_are_none(openai):
    for word in ("x", "video_1", "01900000-0000-7000-8000-000000000000"):
        refused(await openai.get(f"/videos/{word}"), 404, "unknown_task")


async def test_limits_of_a_key(openai):
    keys = openai.served.services.keys
    _, seldom = await added(keys, limits=KeyLimits(rate=Rate(1, 30.0)))
    assert (await openai.get("/models", headers=seldom)).status == 200
    soon = await openai.get("/models", headers=seldom)
    assert refused(soon, 429, "rate_limit_exceeded")["type"] == "requests"
    assert int(soon.headers["Retry-After"]) <= 30
    assert "x-should-retry" not in soon.headers
    _, poor = await added(keys, limits=KeyLimits(daily_tasks=1))
    assert (await openai.post("/images/generations", WORDS, headers=poor)).status == 200
    never = await openai.post("/images/generations", WORDS, headers=poor)
    assert never.status == 429
    assert never.headers.get("x-should-retry") == "false" or int(never.headers["Retry-After"]) <= 60


async def test_a_database_that_is_away_may_come_back(openai):
    openai.served.store.away = True
    answer = await openai.post("/images/generations", WORDS)
    refused(answer, 503, "database_unavailable")
    assert "x-should-retry" not in answer.headers
    openai.served.store.away = False
    assert (await openai.post("/images/generations", WORDS)).status == 200
    assert await openai.tasks() == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_is_held_for_so_long_and_never_ordered_again(serve, makers, stream):
    served = await serve(doors=[openai_door(DialectOptions(wait_s={"openai": 0.05}))])
    openai = OpenAI(served, makers)
    answer = await openai.post("/images/generations", {**WORDS, "stream": stream})
    (task,) = (await served.get("/v1/tasks")).json["data"]
    if stream:
        assert (answer.status, "still_running" in answer.body.decode()) == (200, True)
    else:
        assert task["id"] in refused(answer, 504, "still_running")["message"]
        assert answer.headers["x-should-retry"] == "false"
    assert task["status"] == "queued"


async def test_a_client_that_leaves_cancels_nothing_and_comes_back_to_its_task(serve, makers):
    served = await serve(doors=[openai_door(DialectOptions(wait_s={"openai": 60}))])
    openai = OpenAI(served, makers)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await openai.post("/images/generations", WORDS)
    async with served.worker():
        again = await openai.post("/images/generations", WORDS, headers={"x-stainless-retry-count": "1"})
        assert again.status == 200
        assert await openai.tasks() == 1
        assert (await openai.post("/images/generations", WORDS)).status == 200
        assert await openai.tasks() == 2
