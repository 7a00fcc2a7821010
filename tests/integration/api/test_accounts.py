"""What a vendor answers about its account, over real HTTP, and what callers and operators are shown."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiohttp import web

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.domain.retry import RetryPolicy
from genpulse.lifecycle.watch import wait
from genpulse.provider import ProviderSettings
from genpulse.providers import openai_compatible
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.server import PNG

UNVERIFIED = "Your organization must be verified to use the model `locked`."
MODELS = {"locked": "image", "open": "image"}
DAY_S = 86_400


def picture() -> web.Response:
    return web.json_response({"data": [{"b64_json": base64.b64encode(PNG).decode()}]})


def refused(status: int, words: str, **headers: str) -> web.Response:
    return web.json_response({"error": {"message": words}}, status=status, headers=headers)


@pytest.fixture
async def studio(serve):
    """An API with the account `studio` at a vendor whose orders are answered so: `await studio(answer)`."""
    runners, clients = [], []

    async def start(answer: Callable[[str], web.Response]):
        async def order(request: web.Request) -> web.Response:
            return answer(json.loads(await request.text())["model"])

        app = web.Application()
        app.router.add_post("/v1/images/generations", order)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        clients.append(HttpClient("test"))
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        settings = ProviderSettings("k", base_url, {}, clients[-1], MODELS, "studio")
        catalogue = LoadedCatalogue([openai_compatible.provider(settings)])
        return await serve(catalogue=catalogue, gate=MemoryGate(["studio"]), retry=RetryPolicy(max_attempts=5))

    yield start
    for client in clients:
        await client.close()
    for runner in runners:
        await runner.cleanup()


async def circuit_of(api):
    (account,) = (await api.get("/v1/providers")).json["data"]
    return account["circuit"]


async def submit(api, model):
    return (await api.submit(f"studio/{model}", kind="text-to-image")).json["id"]


async def run(api, model):
    return await api.ended(await submit(api, model))


async def test_a_model_that_wants_a_verified_organisation_shuts_the_account_for_no_other(studio):
    api = await studio(lambda model: refused(403, UNVERIFIED) if model == "locked" else picture())
    async with api.worker():
        for _ in range(6):
            failed = await run(api, "locked")
            assert (failed["error"]["code"], failed["error"]["charged"]) == ("provider_rejected", "no")
            assert failed["error"]["who_must_act"] == "operator"
            assert "must be verified" in failed["error"]["message"]
        assert (await run(api, "open"))["status"] == "succeeded"
    circuit = await circuit_of(api)
    assert (circuit["state"], circuit["failures"], circuit["hold"]) == ("closed", 0, None)


async def test_a_key_that_is_not_taken_shuts_the_account_and_says_so(studio):
    api = await studio(lambda _: refused(401, "Incorrect API key provided"))
    async with api.worker():
        for _ in range(5):
            assert (await run(api, "open"))["error"]["code"] == "authentication_failed"
    circuit = await circuit_of(api)
    assert (circuit["state"], circuit["failures"], circuit["hold"]["code"]) == ("open", 5, "authentication_failed")
    assert "Incorrect API key provided" in circuit["hold"]["answer"]


@pytest.mark.parametrize(
    "asked", [str(DAY_S), "Fri, 31 Dec 2100 23:59:59 GMT", "999999999"], ids=["a day", "a date", "30 years"]
)
async def test_a_pause_of_a_day_is_an_hour_for_the_task_and_the_account_and_is_shown(studio, asked):
    api = await studio(lambda _: refused(429, "Come back tomorrow", **{"Retry-After": asked}))
    async with api.worker():
        first = await submit(api, "open")
        await wait(api.services, UUID(first), 0.5)
        task = (await api.get(f"/v1/tasks/{first}")).json
        assert (task["status"], task["waiting_for"]["what"]) == ("queued", "next_attempt")
        assert task["last_error"]["code"] == "rate_limited"
        later = await submit(api, "open")
        await wait(api.services, UUID(later), 0.5)
        assert (await api.get(f"/v1/tasks/{later}")).json["attempt"] == 0
    hold = (await circuit_of(api))["hold"]
    for moment in (task["next_try_at"], hold["until"]):
        left_s = (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()
        assert left_s == pytest.approx(3600, abs=30)
    assert hold["code"] == "rate_limited"
    assert "Come back tomorrow" in hold["answer"]
