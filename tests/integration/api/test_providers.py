"""The providers, and how their accounts are."""

from datetime import UTC, datetime

import pytest

from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.cli.doctor.accounts import accounts
from genpulse.cli.doctor.finding import Level
from genpulse.domain.errors import ProviderRejected, ProviderUnavailable, RateLimited
from genpulse.domain.provider_account.gate import CircuitPolicy, Limits
from genpulse.domain.provider_account.learned_concurrency import FORGOTTEN_S, Load
from genpulse.domain.provider_account.rate import Rate
from genpulse.provider import Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.test_metrics import samples

DOWN = ProviderUnavailable("502 Bad Gateway").failure


async def test_a_provider_without_limits(api):
    assert (await api.get("/v1/providers")).json == {
        "data": [
            {
                "name": "art",
                "title": "art",
                "paid": False,
                "configured": True,
                "allowed": True,
                "kinds": ["text-to-image", "text-to-video"],
                "models": ["art/easel", "art/print"],
                "left_out": [],
                "limits": {"concurrency": None, "rate": None},
                "concurrency": {"configured": None, "learned": None, "since": None},
                "circuit": {"state": "closed", "failures": 0, "reason": None, "retry_at": None, "hold": None},
            }
        ]
    }


async def test_what_a_provider_leaves_out_is_told_by_the_api_and_beside_the_models(serve, genpulse):
    plug_in = Provider("art", (), left_out={"foxes.json": "the file is empty"})
    api = await serve(catalogue=LoadedCatalogue([plug_in]))
    (document,) = (await api.get("/v1/providers")).json["data"]
    assert document["left_out"] == ["foxes.json: the file is empty"]
    for command in ("models", "providers"):
        code, _, err = await genpulse(api, command)
        assert (code, "art leaves out foxes.json: the file is empty" in err) == (0, True)


async def test_limits_and_an_open_circuit_are_shown(serve):
    limits = {"art": Limits(8, Rate.parse("60/min"))}
    gate = MemoryGate(["art"], limits, CircuitPolicy(failures=2, first_s=60))
    api = await serve(gate=gate)
    for _ in range(2):
        await gate.failed("art", DOWN)
    (art,) = (await api.get("/v1/providers")).json["data"]
    assert art["limits"] == {"concurrency": 8, "rate": "60/min"}
    circuit = art["circuit"]
    assert circuit["state"] == "open"
    assert circuit["failures"] == 2
    assert circuit["reason"] == "provider_unavailable: 502 Bad Gateway"
    assert 0 < (datetime.fromisoformat(circuit["retry_at"]) - datetime.now(UTC)).total_seconds() <= 60


def left_s(moment):
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


async def test_a_pause_that_the_provider_asked_for_says_since_when_until_when_and_by_which_answer(serve):
    api = await serve(gate=(gate := MemoryGate(["art"])))
    await gate.failed("art", RateLimited("429: come back tomorrow", retry_after_s=86_400).failure)
    (art,) = (await api.get("/v1/providers")).json["data"]
    circuit, hold = art["circuit"], art["circuit"]["hold"]
    assert (circuit["state"], circuit["failures"]) == ("closed", 0)
    assert circuit["retry_at"] == hold["until"]
    assert left_s(hold["until"]) == pytest.approx(3600, abs=10), "an hour is the most"
    assert left_s(hold["since"]) == pytest.approx(0, abs=10)
    assert (hold["code"], hold["answer"]) == ("rate_limited", "rate_limited: 429: come back tomorrow")


async def test_an_account_that_is_tried_again_says_since_when_it_is_left_alone(serve):
    now = 1000.0
    gate = MemoryGate(["art"], policy=CircuitPolicy(failures=1, first_s=60), clock=lambda: now)
    api = await serve(gate=gate)
    await gate.failed("art", DOWN)
    now += 60
    (art,) = (await api.get("/v1/providers")).json["data"]
    assert (art["circuit"]["state"], art["circuit"]["retry_at"]) == ("half_open", None)
    hold = art["circuit"]["hold"]
    assert (hold["until"], hold["answer"]) == (None, "provider_unavailable: 502 Bad Gateway")
    assert left_s(hold["since"]) == pytest.approx(-60, abs=10)


async def test_a_model_that_may_not_be_used_shuts_the_account_for_no_other(serve):
    gate = MemoryGate(["art"], policy=CircuitPolicy(failures=2, first_s=60))
    api = await serve(gate=gate)
    for _ in range(9):
        await gate.failed("art", ProviderRejected("403: verify your organisation to use this model").failure)
    (art,) = (await api.get("/v1/providers")).json["data"]
    assert art["circuit"] == {"state": "closed", "failures": 0, "reason": None, "retry_at": None, "hold": None}


@pytest.mark.parametrize(("configured", "cell"), [(8, "4 of 8"), (None, "10 learned")])
async def test_what_refusals_have_taught_is_shown_told_and_a_figure(serve, genpulse, configured, cell):
    now = 1000.0
    gate = MemoryGate(["art"], {"art": Limits(configured)}, clock=lambda: now)
    api = await serve(gate=gate)
    names = {
        kind: ("genpulse_provider_concurrency", ("kind", kind), ("provider", "art"))
        for kind in ("configured", "learned")
    }
    figures = await samples(api)
    assert (figures.get(names["configured"]), figures.get(names["learned"])) == (configured, None)
    await gate.failed("art", RateLimited("429").failure, Load(20, 0.0))
    now += 90
    (art,) = (await api.get("/v1/providers")).json["data"]
    concurrency = art["concurrency"]
    learned = 4 if configured else 10
    assert (concurrency["configured"], concurrency["learned"]) == (configured, learned)
    assert left_s(concurrency["since"]) == pytest.approx(-90, abs=10)
    assert cell in (await genpulse(api, "providers"))[1]
    figures = await samples(api)
    assert (figures.get(names["configured"]), figures[names["learned"]]) == (configured, learned)
    now += FORGOTTEN_S
    assert names["learned"] not in await samples(api)


async def test_the_command_says_what_holds_an_account_back(serve, genpulse):
    api = await serve(gate=(gate := MemoryGate(["art"])))
    code, out, _ = await genpulse(api, "providers")
    assert (code, "closed" in out, "left alone" in out) == (0, True, False)
    await gate.failed("art", DOWN)
    _, out, _ = await genpulse(api, "providers")
    assert out.splitlines()[-1] == "art 1 failed in a row, the last by provider_unavailable: 502 Bad Gateway"
    await gate.failed("art", RateLimited("429: [come] back", retry_after_s=90).failure)
    code, out, _ = await genpulse(api, "providers")
    assert (code, "pauses" in out) == (0, True)
    said = out.splitlines()[-1]
    assert said.startswith("art left alone since ")
    assert said.endswith(" by rate_limited: 429: [come] back")


async def test_the_doctor_says_what_holds_an_account_back(serve):
    api = await serve(gate=(gate := MemoryGate(["art"])))
    (well,) = await accounts(api.services)
    assert (well.level, well.detail) == (Level.OK, "none of 1 is left alone")
    await gate.failed("art", RateLimited("429", retry_after_s=90).failure)
    (held,) = await accounts(api.services)
    assert (held.name, held.level) == ("account art", Level.WARNING)
    assert held.detail.endswith(" by rate_limited: 429")


async def test_what_holds_an_account_back_is_a_figure(serve):
    api = await serve(gate=(gate := MemoryGate(["art"])))
    labels = ("code", "rate_limited"), ("provider", "art")
    left, since = ("genpulse_provider_hold_seconds", *labels), ("genpulse_provider_hold_since_seconds", *labels)
    assert not {left, since} & set(await samples(api))
    await gate.failed("art", RateLimited("429", retry_after_s=90).failure)
    figures = await samples(api)
    assert figures[left] == pytest.approx(90, abs=10)
    assert figures[since] == pytest.approx(datetime.now(UTC).timestamp(), abs=10)


async def test_a_hold_that_is_over_is_no_figure_any_more(serve):
    now = 1000.0
    api = await serve(gate=(gate := MemoryGate(["art"], clock=lambda: now)))
    await gate.failed("art", RateLimited("429", retry_after_s=90).failure)
    await samples(api)
    now += 90
    assert not [name for name, *_ in await samples(api) if name.startswith("genpulse_provider_hold")]


async def test_circuits_are_counted(serve):
    gate = MemoryGate(["art"], policy=CircuitPolicy(failures=1, first_s=60))
    api = await serve(gate=gate)
    closed = ("genpulse_provider_circuit", ("provider", "art"), ("state", "closed"))
    opened = ("genpulse_provider_circuit", ("provider", "art"), ("state", "open"))
    figures = await samples(api)
    assert (figures[closed], figures[opened]) == (1, 0)
    failures = ("genpulse_provider_failures", ("provider", "art"))
    assert figures[failures] == 0
    await gate.failed("art", DOWN)
    figures = await samples(api)
    assert (figures[closed], figures[opened], figures[failures]) == (0, 1, 1)
