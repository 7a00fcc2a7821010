"""The gate inside Redis does what the gate of the domain does, whatever happens to it and in whatever order."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis as Client

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.provider_gate_script import KEPT_S, GateScript
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.provider_account.gate import LONGEST_S, PROBE_S, Admission, CircuitPolicy, Gate, Hold
from genpulse.domain.provider_account.learned_concurrency import FORGOTTEN_S, LearnedConcurrency, Load
from genpulse.domain.provider_account.rate import Rate
from tests.drawn import examples

KEY = "dev:gate:vendor"
NOW = 1_790_000_000.123456
NOTHING = Admission(0)
POLICIES = [CircuitPolicy(failures, first_s=5, longest_s=300) for failures in (1, 1, 3)]
RATES = [None, *map(Rate.parse, ("5/s", "1000/s", "7/min", "1/h"))]
PAUSES_S = st.one_of(
    st.just(0.0),
    st.sampled_from([0.001, 0.2, 1.0, 60 / 7, 5.0, 10.0, PROBE_S, 300.0, LONGEST_S]),
    st.floats(0, 0.3),
    st.floats(0, 2 * LONGEST_S),
    st.sampled_from([-0.2, -30.0, -2 * PROBE_S, -2 * LONGEST_S, -90_000.0]),
)
FAILURES = st.builds(
    Failure,
    code=st.sampled_from(FailureCode),
    message=st.one_of(st.just("down"), st.text(max_size=400)),
    retryable=st.booleans(),
    charged=st.just(Charged.NO),
    who_must_act=st.just(Actor.PROVIDER),
    retry_after_s=st.one_of(st.none(), st.floats(), st.floats(0, 100)),
)


def failing(code: FailureCode, retry_after_s: float | None = None) -> Failure:
    return Failure(code, "down", True, Charged.NO, Actor.PROVIDER, retry_after_s)


LOADS = st.builds(Load, running=st.integers(0, 60), age_s=st.sampled_from([0.0, 0.0, 0.2, 5.0, 3 * LONGEST_S]))
CONCURRENCIES = st.sampled_from([None, 1, 2, 7, 40])
USUAL = st.sampled_from(
    [
        failing(FailureCode.TIMEOUT),
        failing(FailureCode.PROVIDER_UNAVAILABLE, 20),
        failing(FailureCode.RATE_LIMITED, 90),
        failing(FailureCode.RATE_LIMITED, 86_400),
        failing(FailureCode.MODERATION_BLOCKED),
        failing(FailureCode.INTERNAL),
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("admit"), st.one_of(st.just(1), st.integers(1, 200))),
    st.tuples(st.just("give_back"), st.integers(1, 20)),
    st.tuples(st.just("succeeded"), CONCURRENCIES, st.integers(1, 30)),
    st.tuples(st.just("failed"), st.just(failing(FailureCode.RATE_LIMITED)), st.just(1.0), LOADS),
    st.tuples(st.just("failed"), st.one_of(USUAL, FAILURES), st.floats(0, 1)),
    st.tuples(st.just("failed"), st.just(failing(FailureCode.TIMEOUT)), st.just(1.0)),
    st.tuples(st.just("look")),
)


class Both:
    """One gate in Redis and its model, at the same moments."""

    def __init__(self, client: Client, rate: Rate | None, policy: CircuitPolicy) -> None:
        self.now = NOW
        self.policy = policy
        self.rate = rate
        self.model = Gate()
        self.script = GateScript(client, clock=lambda: self.now)

    async def admit(self, wanted: int) -> None:
        expected, self.model = self.model.admit(self.rate, wanted, self.now)
        self.same(await self.script.admit(KEY, self.rate, wanted), expected)

    async def give_back(self, count: int) -> None:
        self.model = self.model.give_back(self.rate, count)
        self.same(await self.script.give_back(KEY, self.rate, count))

    async def succeeded(self, concurrency: int | None, times: int) -> None:
        for _ in range(times):
            self.model = self.model.succeeded(concurrency, self.now)
            self.same(await self.script.succeeded(KEY, concurrency))

    async def failed(self, failure: Failure, draw: float, load: Load | None = None) -> None:
        self.model = self.model.failed(failure, self.policy, self.now, draw, load)
        self.same(await self.script.failed(KEY, failure, self.policy, draw, load))

    async def look(self) -> None:
        self.same(await self.script.look(KEY))

    def same(self, answer, admission=NOTHING) -> None:
        assert answer.after == self.model
        assert answer.admission == admission
        assert answer.circuit == self.model.circuit(self.now)


async def replay(client, rate, policy, steps) -> None:
    await client.delete(KEY)
    both = Both(client, rate, policy)
    for pause_s, (operation, *arguments) in steps:
        both.now += pause_s
        await getattr(both, operation)(*arguments)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.hypothesis
def test_it_agrees_with_its_model(redis_url, runner):
    client = open_redis(redis_url, "dev:")

    @settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(RATES),
        st.sampled_from(POLICIES),
        st.lists(st.tuples(PAUSES_S, STEPS), min_size=5, max_size=60),
    )
    def agrees(rate, policy, steps):
        runner.run(replay(client, rate, policy, steps))

    agrees()
    runner.run(client.aclose())


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate], ids=str)
async def test_it_agrees_with_its_model_where_each_goes_in_the_moment_that_was_told(redis_url, rate):
    async with open_redis(redis_url, "dev:") as client:
        both = Both(client, rate, POLICIES[0])
        for _ in range(100):
            await both.admit(rate.at_once)
            both.now += both.model.admit(rate, 1, both.now)[0].wait_s
        assert both.model.next_at >= NOW + 99 * rate.interval_s
        for turns in range(1, 100):
            both.now += turns * rate.interval_s
            await both.admit(200)


@pytest.mark.parametrize("configured", [None, 9])
@pytest.mark.parametrize("pause_s", [0.01, 1.0, 61.0, 301.0])
async def test_it_agrees_with_its_model_while_it_learns(redis_url, configured, pause_s):
    """The vendor takes three at once, and later five; then nobody asks for an hour."""
    refusal, levels = failing(FailureCode.RATE_LIMITED), set()
    async with open_redis(redis_url, "dev:") as client:
        both = Both(client, None, POLICIES[0])
        for turn in range(300):
            both.now += pause_s
            if both.model.learned.most > (3 if turn < 150 else 5) or not turn:
                await both.failed(refusal, 1.0, Load(9 if not turn else 60, 0.005))
            await both.succeeded(configured, 1)
            await both.admit(50)
            levels.add(both.model.learned.most)
        assert levels >= {2, 3, 4}
        both.now += FORGOTTEN_S
        await both.admit(50)
        assert both.model.learned == LearnedConcurrency()


@pytest.mark.parametrize("back_s", [1.0, 2 * PROBE_S, 2 * LONGEST_S, 90_000.0])
@pytest.mark.parametrize("code", [FailureCode.TIMEOUT, FailureCode.RATE_LIMITED, None])
async def test_it_agrees_with_its_model_where_the_clock_is_set_back_during_a_probe(redis_url, back_s, code):
    async with open_redis(redis_url, "dev:") as client:
        both = Both(client, Rate.parse("5/s"), POLICIES[0])
        await both.failed(failing(FailureCode.TIMEOUT), 1.0)
        both.now += 5
        await both.admit(1)
        both.now -= back_s
        await both.look()
        if code:
            await both.failed(failing(code, 30), 1.0)
        for _ in range(3):
            await both.admit(1)
            both.now += PROBE_S


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"[]",
        b"not json",
        b"{}",
        b"null",
        b"3",
        b"[1,2]",
        b'["a",1,2,3,4,5,"x"]',
        b"[1,2,3,4,5,6,7]",
        b'[1,2,3,4,5,null,""]',
        b'[nan,0,0,0,0,0,""]',
        b'[Infinity,0,0,0,0,0,""]',
        b'[1e308,0,0,0,0,0,""]',
        b'[1790000000.5,3,1,1790000100.0,0.0,"what 0.1.0 wrote"]',
        b'[0,9,9,9e14,9e14,9e14,"a clock of another age"]',
        b'[0,9,9,9e14,9e14,9e14,"",9e14,9e14,"a clock of another age"]',
        b'[0,9,9,1,1,1,"x","text where a moment should be",0,""]',
        b'[0,9,9,1,1,1,"x",0,0,7]',
        b'[0,9,9,1,1,1,"x",0,0,"x","many",0,0,0,0]',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda kept: repr(kept[:30]),
)
async def test_what_another_version_wrote_is_a_new_gate(redis_url, kept):
    async with Client.from_url(redis_url) as plain, open_redis(redis_url, "dev:") as client:
        await plain.set(KEY, kept)
        answer = await GateScript(client).admit(KEY, Rate.parse("5/s"), 1)
        assert answer.admission.granted == 1
        assert len(json.loads(await plain.get(KEY))) == 15


async def test_what_an_older_version_wrote_goes_on(redis_url):
    """It did not know since when an account is left alone, nor by which answer."""
    moment = NOW + 90
    kept = json.dumps([NOW, 5, 2, moment, 0, 0, "timeout: no answer"])
    async with Client.from_url(redis_url) as plain, open_redis(redis_url, "dev:") as client:
        await plain.set(KEY, kept)
        script = GateScript(client, clock=lambda: NOW)
        answer = await script.admit(KEY, None, 1)
        assert answer.admission == Admission(0, pytest.approx(90))
        assert answer.circuit.hold == Hold("timeout: no answer", None, pytest.approx(90))
        held = await script.failed(KEY, failing(FailureCode.RATE_LIMITED, 600), POLICIES[0], 1.0)
        assert held.circuit.hold == Hold("rate_limited: down", 0.0, 600.0)
        assert (held.after.failures, held.after.trips, held.after.next_at) == (5, 2, NOW)


async def test_what_a_newer_version_wrote_goes_on_without_what_it_added(redis_url):
    kept = [NOW, 0, 0, 0, NOW + 90, 0, "", 0, NOW - 30, "rate_limited: later", 4, 9, NOW - 30, NOW, 2]
    kept += [{"of": "tomorrow"}]
    async with Client.from_url(redis_url) as plain, open_redis(redis_url, "dev:") as client:
        await plain.set(KEY, json.dumps(kept))
        answer = await GateScript(client, clock=lambda: NOW).admit(KEY, Rate.parse("5/s"), 1)
        assert answer.admission == Admission(0, pytest.approx(90), 4)
        assert answer.circuit.hold == Hold("rate_limited: later", pytest.approx(30), pytest.approx(90))
        assert json.loads(await plain.get(KEY)) == kept, "what is not changed is not written"


async def test_a_key_of_another_kind_is_written_over(redis_url):
    async with Client.from_url(redis_url) as plain, open_redis(redis_url, "dev:") as client:
        await plain.hset(KEY, "next_at", "1")
        assert (await GateScript(client).admit(KEY, Rate.parse("5/s"), 1)).admission.granted == 1
        assert await plain.type(KEY) == b"string"


async def test_an_account_that_nobody_asks_about_is_forgotten_after_the_longest_wait(redis_url):
    async with open_redis(redis_url, "dev:") as client, Client.from_url(redis_url) as plain:
        await GateScript(client).admit(KEY, Rate.parse("5/s"), 1)
        assert LONGEST_S < await plain.ttl(KEY) <= KEPT_S


async def test_an_operation_is_one_call_and_one_that_changes_nothing_writes_nothing(redis_url):
    async with open_redis(redis_url, "dev:") as client, Client.from_url(redis_url) as plain:
        script = GateScript(client)
        await script.admit(KEY, Rate.parse("1/h"), 1)
        before = await plain.info("commandstats")
        for _ in range(10):
            await script.admit(KEY, Rate.parse("1/h"), 1)
        after = await plain.info("commandstats")

    def calls(stats, command):
        return stats.get(f"cmdstat_{command}", {"calls": 0})["calls"]

    grown = {name: calls(after, name) - calls(before, name) for name in ("evalsha", "eval", "set")}
    assert grown == {"evalsha": 10, "eval": 0, "set": 0}


async def test_its_time_is_that_of_redis(redis_url):
    async with open_redis(redis_url, "dev:") as client:
        answer = await GateScript(client).admit(KEY, Rate.parse("1/h"), 1)
        seconds, _ = await client.time()
    assert answer.after.next_at - 3600 == pytest.approx(seconds, abs=5)
