"""The providers, and how their accounts are."""

from datetime import UTC, datetime

from genpulse.adapters.memory.gate import MemoryGate
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.gate import CircuitPolicy, Limits
from genpulse.domain.rate import Rate
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
                "limits": {"concurrency": None, "rate": None},
                "circuit": {"state": "closed", "failures": 0, "reason": None, "retry_at": None},
            }
        ]
    }


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


async def test_circuits_are_counted(serve):
    gate = MemoryGate(["art"], policy=CircuitPolicy(failures=1, first_s=60))
    api = await serve(gate=gate)
    closed = ("genpulse_provider_circuit", ("provider", "art"), ("state", "closed"))
    opened = ("genpulse_provider_circuit", ("provider", "art"), ("state", "open"))
    figures = await samples(api)
    assert (figures[closed], figures[opened]) == (1, 0)
    await gate.failed("art", DOWN)
    figures = await samples(api)
    assert (figures[closed], figures[opened]) == (0, 1)
