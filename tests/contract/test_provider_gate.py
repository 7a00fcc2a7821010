"""What every gate does."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.provider_gate import RedisGate
from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ModerationBlocked,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from genpulse.domain.provider_account.circuit_event import KEPT, CircuitChange
from genpulse.domain.provider_account.gate import CircuitPolicy, CircuitState, Limits
from genpulse.domain.provider_account.learned_concurrency import RAISED_AFTER, Load
from genpulse.domain.provider_account.rate import Rate
from genpulse.ports import ProviderGate

REFUSED = RateLimited("429").failure
LIMITS = {
    "slow": Limits(rate=Rate.parse("1/h")),
    "rated": Limits(rate=Rate.parse("10/s")),
    "narrow": Limits(concurrency=3),
}
POLICY = CircuitPolicy(failures=2, first_s=1, longest_s=2)
DOWN = ProviderUnavailable("502").failure


async def _one() -> int:
    return 1


@pytest.fixture(params=["redis", "memory"])
async def gates(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ProviderGate, ProviderGate]]:
    """The gates of two workers."""
    if request.param == "memory":
        gate = MemoryGate(["vendor", "slow", "rated"], LIMITS, POLICY)
        yield gate, gate
        return
    url = request.getfixturevalue("redis_url")
    clients = [open_redis(url, "dev:") for _ in range(2)]
    first, second = (
        RedisGate(
            client,
            Keyspace("dev:"),
            guarded=["vendor", "slow", "rated"],
            limits=LIMITS,
            policy=POLICY,
            workers=_one,
            random=lambda: 1.0,
            answer_s=60,
        )
        for client in clients
    )
    yield first, second
    for client in clients:
        await client.aclose()


async def test_only_accounts_have_gates(gates):
    gate, _ = gates
    assert gate.guards("vendor")
    assert gate.guards("slow")
    assert not gate.guards("narrow")
    assert gate.limits("narrow") == Limits(concurrency=3)
    assert gate.limits("vendor") == Limits()


async def test_a_rate_holds_over_all_workers(gates):
    granted, began = 0, time.monotonic()
    while granted < 8:
        admissions = await asyncio.gather(*(gate.admit("rated", 5) for gate in gates for _ in range(3)))
        granted += sum(admission.granted for admission in admissions)
        await asyncio.sleep(0.01)
    allowed = 10 * (time.monotonic() - began) + 1
    assert granted <= allowed


async def test_a_rate_of_one_account_holds_up_no_other(gates):
    first, second = gates
    await first.admit("slow", 5)
    assert (await second.admit("slow", 5)).granted == 0
    assert (await second.admit("vendor", 5)).granted == 5


async def test_what_did_not_go_is_given_back(gates):
    first, second = gates
    assert (await first.admit("slow", 1)).granted == 1
    await first.give_back("slow", 1)
    assert (await second.admit("slow", 1)).granted == 1


async def test_the_circuit_opens_for_all_and_a_success_closes_it(gates):
    first, second = gates
    await first.failed("vendor", DOWN)
    await second.failed("vendor", DOWN)
    assert (await first.admit("vendor", 9)).granted == 0
    circuit = await second.circuit("vendor")
    assert circuit.state is CircuitState.OPEN
    assert circuit.reason == "provider_unavailable: 502"
    assert 0 < circuit.wait_s <= 1
    await asyncio.sleep(circuit.wait_s + 0.02)
    probes = await asyncio.gather(first.admit("vendor", 9), second.admit("vendor", 9))
    assert sorted(probe.granted for probe in probes) == [0, 1]
    await second.succeeded("vendor")
    assert (await first.admit("vendor", 9)).granted == 9
    assert (await second.circuit("vendor")).state is CircuitState.CLOSED


async def half_open(gates):
    """Both gates, with an account that is to be tried again."""
    first, second = gates
    await first.failed("vendor", DOWN)
    await second.failed("vendor", DOWN)
    await asyncio.sleep((await first.circuit("vendor")).wait_s + 0.02)
    return first, second


@pytest.mark.parametrize("error", [ModerationBlocked, InvalidInput, ProviderRejected])
async def test_any_answer_of_the_provider_closes_the_circuit_for_all(gates, error):
    first, second = await half_open(gates)
    assert (await first.admit("vendor", 9)).granted == 1
    assert (await first.failed("vendor", error("no").failure)).state is CircuitState.CLOSED
    assert (await second.admit("vendor", 9)).granted == 9


async def test_a_probe_that_asked_for_nothing_is_given_back_and_another_one_goes(gates):
    first, second = await half_open(gates)
    assert (await first.admit("vendor", 9)).granted == 1
    assert (await second.admit("vendor", 9)).granted == 0
    await first.give_back("vendor", 1)
    assert (await second.admit("vendor", 9)).granted == 1


async def test_a_probe_that_learned_nothing_ends_and_gives_no_turn_back(gates):
    first, second = await half_open(gates)
    assert (await first.admit("vendor", 9)).granted == 1
    await first.give_back("vendor", 0)
    assert (await second.circuit("vendor")).state is CircuitState.HALF_OPEN
    assert (await second.admit("vendor", 9)).granted == 1
    assert (await first.admit("slow", 1)).granted == 1
    await first.give_back("slow", 0)
    assert (await second.admit("slow", 1)).granted == 0


async def test_a_success_is_counted_for_all_who_fail(gates):
    first, second = gates
    await first.succeeded("vendor")
    await second.failed("vendor", DOWN)
    await second.succeeded("vendor")
    assert (await second.failed("vendor", DOWN)).state is CircuitState.CLOSED


async def test_a_name_has_a_pace_of_its_own(gates):
    first, second = gates
    assert (await first.pace("somebody", Rate.parse("1/min"))).wait_s == 0
    assert (await second.pace("somebody", Rate.parse("1/min"))).wait_s == pytest.approx(60, abs=2)
    assert (await second.pace("somebody_else", Rate.parse("1/min"))).wait_s == 0


async def test_what_a_rate_leaves_is_told(gates):
    first, second = gates
    rate = Rate.parse("3/h").in_bursts()
    paces = [await gate.pace("somebody", rate) for gate in (first, second, first, second)]
    assert [pace.remaining for pace in paces] == [2, 1, 0, 0]
    assert [pace.wait_s > 0 for pace in paces] == [False, False, False, True]
    assert [pace.full_s for pace in paces] == pytest.approx([1200, 2400, 3600, 3600], abs=30)


async def test_a_wait_that_was_asked_for_holds_for_all(gates):
    first, second = gates
    await first.failed("vendor", RateLimited("429", retry_after_s=30).failure)
    assert (await second.admit("vendor", 1)).wait_s == pytest.approx(30, abs=1)
    await second.succeeded("vendor")
    assert (await first.admit("vendor", 1)).wait_s == pytest.approx(30, abs=1)


async def test_what_holds_an_account_back_is_seen_by_all_who_look(gates):
    first, second = gates
    failed = await first.failed("vendor", RateLimited("429: tomorrow", retry_after_s=86_400).failure)
    for circuit in (failed, await second.circuit("vendor")):
        assert (circuit.state, circuit.failures) == (CircuitState.CLOSED, 0)
        assert circuit.hold.answer == "rate_limited: 429: tomorrow"
        assert circuit.hold.since_s == pytest.approx(0, abs=5)
        assert circuit.hold.left_s == circuit.wait_s == pytest.approx(3600, abs=5)
    await second.succeeded("vendor")
    assert (await first.circuit("vendor")).hold.left_s == pytest.approx(3600, abs=5)


async def test_a_key_that_is_refused_holds_its_account_back_and_says_so(gates):
    first, second = await half_open(gates)
    assert (await second.circuit("vendor")).hold.answer == "provider_unavailable: 502"
    await first.admit("vendor", 1)
    await first.failed("vendor", AuthenticationFailed("401: no such key").failure)
    circuit = await second.circuit("vendor")
    assert circuit.state is CircuitState.OPEN
    assert circuit.hold.answer == "authentication_failed: 401: no such key"
    assert circuit.hold.since_s > 0.5, "since it stopped working, and not since this answer"


async def test_a_model_that_may_not_be_used_shuts_the_account_for_no_other(gates):
    first, second = gates
    for _ in range(5):
        circuit = await first.failed("vendor", ProviderRejected("403: verify your organisation").failure)
    assert (circuit.state, circuit.hold) == (CircuitState.CLOSED, None)
    assert (await second.admit("vendor", 9)).granted == 9


async def test_a_refusal_is_learned_by_all_and_what_is_taken_raises_it_again(gates):
    first, second = gates
    assert (await first.failed("vendor", REFUSED, Load(8, 0.0))).learned.concurrency == 4
    assert (await second.failed("vendor", REFUSED, Load(7, 60.0))).learned.concurrency == 4, "of the same burst"
    admission = await second.admit("vendor", 9)
    assert (admission.granted, admission.seats) == (4, 4)
    for _ in range(RAISED_AFTER):
        await first.succeeded("vendor")
    learned = (await second.circuit("vendor")).learned
    assert learned.concurrency == 5
    assert learned.since_s == pytest.approx(0, abs=30)
    assert (await first.admit("slow", 1)).seats is None
    await second.failed("vendor", ModerationBlocked("no").failure)
    assert (await first.circuit("vendor")).learned.concurrency == 5


async def test_nothing_is_learned_from_a_refusal_under_a_load_that_nobody_knows(gates):
    first, second = gates
    assert (await first.failed("vendor", REFUSED)).learned is None
    assert (await second.admit("vendor", 9)).seats is None


async def test_what_is_learned_is_less_than_what_is_configured(gates):
    first, second = gates
    assert (await first.failed("narrow", REFUSED, Load(40, 0.0))).learned.concurrency == 1
    for _ in range(RAISED_AFTER):
        await second.succeeded("narrow")
    assert (await first.circuit("narrow")).learned.concurrency == 2
    for _ in range(100):
        await first.succeeded("narrow")
    assert (await second.circuit("narrow")).learned is None
    assert (await second.admit("narrow", 9)).granted == 9, "the claim counts what is configured"


async def test_what_happened_to_an_account_is_kept_for_those_who_wonder(gates):
    first, second = gates
    assert await first.history("vendor") == ()
    for gate in (first, second):
        await gate.failed("vendor", DOWN)
    (opened,) = await second.history("vendor")
    assert (opened.change, opened.reason) == (CircuitChange.OPENED, "provider_unavailable: 502")
    assert abs(datetime.now(UTC) - opened.at) < timedelta(minutes=1)
    await first.succeeded("vendor")
    await first.succeeded("vendor")
    await second.failed("vendor", replace(REFUSED, retry_after_s=30.0), Load(8, 1.0))
    await first.failed("vendor", replace(REFUSED, retry_after_s=20.0))
    told = [(event.change, event.reason, event.concurrency) for event in await first.history("vendor")]
    assert told == [
        (CircuitChange.LOWERED, "", 4),
        (CircuitChange.HELD, "rate_limited: 429", None),
        (CircuitChange.CLOSED, "", None),
        (CircuitChange.OPENED, "provider_unavailable: 502", None),
    ]
    assert await first.history("slow") == ()


async def test_of_what_happened_the_newest_is_kept(gates):
    gate, _ = gates
    for _ in range(KEPT):
        for failure in (DOWN, DOWN):
            await gate.failed("vendor", failure)
        await gate.succeeded("vendor")
    history = await gate.history("vendor")
    assert len(history) == KEPT
    assert history[0].change is CircuitChange.CLOSED
    assert all(earlier.at <= later.at for later, earlier in pairwise(history))
