"""What is let through to an account, by its rate and by its circuit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.provider_account.gate import (
    LONGEST_S,
    PROBE_S,
    Admission,
    Circuit,
    CircuitPolicy,
    CircuitState,
    Gate,
    Hold,
)
from genpulse.domain.provider_account.rate import Rate

POLICY = CircuitPolicy(failures=3, first_s=10, longest_s=40)
NOW = 1_000_000.0


def failure(code: FailureCode, retry_after_s: float | None = None) -> Failure:
    return Failure(code, "down", True, Charged.NO, Actor.PROVIDER, retry_after_s)


DOWN = failure(FailureCode.PROVIDER_UNAVAILABLE)


def opened(trips: int = 1) -> tuple[Gate, float]:
    """A gate that has opened so often, and a moment at which the next probe may go."""
    gate, now = Gate(), NOW
    for _ in range(POLICY.failures):
        gate = gate.failed(DOWN, POLICY, now, 1.0)
    for _ in range(trips - 1):
        now = gate.shut_until
        gate = gate.failed(DOWN, POLICY, now, 1.0)
    return gate, gate.shut_until


def test_without_a_rate_everything_passes():
    assert Gate().admit(None, 1000, NOW) == (Admission(1000), Gate())


def test_one_passes_and_the_next_has_to_wait_for_its_turn():
    rate = Rate.parse("5/s")
    first, gate = Gate().admit(rate, 3, NOW)
    assert first.granted == 1
    assert first.wait_s == pytest.approx(0.2)
    second, same = gate.admit(rate, 1, NOW + 0.1)
    assert second.granted == 0
    assert second.wait_s == pytest.approx(0.1)
    assert same == gate
    assert gate.admit(rate, 1, NOW + 0.2)[0] == Admission(1)


def test_fast_rates_let_several_pass_at_once():
    rate = Rate.parse("1000/s")
    admission, gate = Gate().admit(rate, 500, NOW)
    assert admission.granted == 100
    assert gate.admit(rate, 500, NOW + 0.01)[0].granted == pytest.approx(10, abs=1)


@given(
    st.integers(1, 2000),
    st.sampled_from(["s", "min", "h"]),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 200)), min_size=1, max_size=60),
)
def test_no_more_passes_than_the_rate_allows(count, unit, asked):
    rate, gate, now, granted = Rate.parse(f"{count}/{unit}"), Gate(), NOW, 0
    for pause_s, wanted in asked:
        now += pause_s
        admission, gate = gate.admit(rate, wanted, now)
        assert 0 <= admission.granted <= wanted
        granted += admission.granted
        if admission.granted < wanted:
            assert admission.wait_s > 0
    assert granted <= (now - NOW) / rate.interval_s + rate.at_once + 1e-3 * granted


def test_whoever_waits_as_long_as_told_passes():
    rate, gate, now = Rate.parse("7/min"), Gate(), NOW
    for _ in range(50):
        admission, gate = gate.admit(rate, 1, now)
        assert admission.granted == 1
        blocked, _ = gate.admit(rate, 1, now)
        now += blocked.wait_s + 1e-6


def test_what_did_not_go_can_go_later():
    rate = Rate.parse("1/s")
    _, gate = Gate().admit(rate, 1, NOW)
    assert gate.give_back(rate, 1).admit(rate, 1, NOW)[0].granted == 1


@pytest.mark.parametrize("back_s", [30, 86_400])
def test_a_clock_that_jumps_back_holds_nothing_up_for_longer_than_one_turn(back_s):
    rate = Rate.parse("1/s")
    _, gate = Gate().admit(rate, 1, NOW)
    admission, gate = gate.admit(rate, 1, NOW - back_s)
    assert admission == Admission(0, pytest.approx(1))
    assert gate.admit(rate, 1, NOW - back_s + 1)[0].granted == 1


def test_a_clock_that_jumps_back_by_a_day_opens_what_was_shut():
    opened_gate, now = opened()
    _, probing = opened_gate.admit(None, 1, now)
    held = Gate().failed(failure(FailureCode.RATE_LIMITED, 90), POLICY, NOW, 1.0)
    for gate in (opened_gate, probing, held):
        assert gate.circuit(NOW - 86_400).state is not CircuitState.OPEN
        assert gate.admit(None, 1, NOW - 86_400)[0].granted == 1


def test_failures_in_a_row_open_the_circuit_and_waits_grow():
    gate = Gate().failed(DOWN, POLICY, NOW, 1.0).failed(DOWN, POLICY, NOW, 1.0)
    assert gate.admit(None, 5, NOW)[0].granted == 5
    gate = gate.failed(DOWN, POLICY, NOW, 1.0)
    assert gate.admit(None, 5, NOW)[0] == Admission(0, 10.0)
    assert gate.circuit(NOW).state is CircuitState.OPEN
    assert "provider_unavailable: down" in gate.circuit(NOW).reason
    waits = [opened(trips)[1] - opened(trips - 1)[1] for trips in (2, 3, 4, 5)]
    assert waits == [20, 40, 40, 40]


def test_one_probe_goes_and_nothing_beside_it():
    gate, now = opened()
    assert gate.circuit(now).state is CircuitState.HALF_OPEN
    admission, gate = gate.admit(None, 100, now)
    assert admission.granted == 1
    assert gate.admit(None, 100, now + 1)[0].granted == 0
    assert gate.admit(None, 100, now + PROBE_S)[0].granted == 1


def test_a_probe_that_found_no_task_does_not_count():
    gate, now = opened()
    _, gate = gate.admit(None, 1, now)
    assert gate.give_back(None, 1).admit(None, 1, now)[0].granted == 1


def test_a_success_closes_the_circuit():
    gate, now = opened(3)
    gate = gate.succeeded(None, NOW)
    assert gate.circuit(now).state is CircuitState.CLOSED
    assert gate.admit(None, 7, now)[0].granted == 7


def test_tasks_that_were_under_way_when_it_opened_do_not_make_it_worse():
    gate, _ = opened()
    late = gate
    for _ in range(100):
        late = late.failed(DOWN, POLICY, NOW + 1, 1.0)
    assert late == gate


ANSWERS = [
    FailureCode.INVALID_INPUT,
    FailureCode.MODERATION_BLOCKED,
    FailureCode.PROVIDER_REJECTED,
    FailureCode.OUTPUT_UNAVAILABLE,
]
OURS = [
    FailureCode.INTERNAL,
    FailureCode.DEADLINE_EXCEEDED,
    FailureCode.PAID_PROVIDER_REFUSED,
    FailureCode.BUDGET_EXCEEDED,
    FailureCode.FOREIGN_ENVIRONMENT,
]


@pytest.mark.parametrize("code", [*ANSWERS, *OURS])
def test_a_failure_of_the_task_shuts_nothing(code):
    gate = Gate()
    for _ in range(10):
        gate = gate.failed(failure(code), POLICY, NOW, 1.0)
    assert gate == Gate()


@pytest.mark.parametrize("code", ANSWERS)
def test_any_answer_of_the_provider_closes_the_circuit(code):
    gate, now = opened(3)
    _, probing = gate.admit(None, 1, now)
    for before in (gate, probing):
        after = before.failed(failure(code), POLICY, now, 1.0)
        assert after.circuit(now).state is CircuitState.CLOSED
        assert after.admit(None, 7, now)[0] == Admission(7)
    counting = Gate().failed(DOWN, POLICY, NOW, 1.0)
    assert counting.failed(failure(code), POLICY, NOW, 1.0).failures == 0


@pytest.mark.parametrize("code", OURS)
def test_a_failure_of_ours_ends_a_probe_and_changes_nothing_else(code):
    gate, now = opened(3)
    _, probing = gate.admit(None, 1, now)
    assert probing.admit(None, 1, now)[0].granted == 0
    assert probing.failed(failure(code), POLICY, now, 1.0) == gate
    counting = Gate().failed(DOWN, POLICY, NOW, 1.0)
    assert counting.failed(failure(code), POLICY, NOW, 1.0) == counting


@given(st.sampled_from(FailureCode), st.one_of(st.none(), st.floats()), st.integers(1, 6))
def test_whatever_ends_a_probe_the_account_is_tried_again_within_an_hour(code, retry_after_s, trips):
    gate, now = opened(trips)
    _, gate = gate.admit(None, 1, now)
    gate = gate.failed(failure(code, retry_after_s), POLICY, now, 1.0)
    assert gate.probing_until == 0
    assert gate.admit(None, 1, now + LONGEST_S)[0].granted == 1


def test_an_account_whose_key_is_refused_is_left_alone_too():
    gate = Gate()
    for _ in range(POLICY.failures):
        gate = gate.failed(failure(FailureCode.AUTHENTICATION_FAILED), POLICY, NOW, 1.0)
    assert gate.circuit(NOW).state is CircuitState.OPEN


def test_a_wait_that_the_provider_asks_for_is_kept_for_all_tasks():
    gate = Gate().failed(failure(FailureCode.RATE_LIMITED, 90), POLICY, NOW, 1.0)
    assert gate.admit(None, 5, NOW)[0] == Admission(0, 90)
    assert gate.admit(None, 5, NOW + 90)[0] == Admission(5)
    assert gate.circuit(NOW).state is CircuitState.CLOSED
    endless = Gate().failed(failure(FailureCode.RATE_LIMITED, 1e9), POLICY, NOW, 1.0)
    assert endless.admit(None, 1, NOW)[0].wait_s == LONGEST_S


def test_a_success_of_what_was_under_way_does_not_forget_a_wait_that_was_asked_for():
    gate = Gate().failed(failure(FailureCode.RATE_LIMITED, 90), POLICY, NOW, 1.0).succeeded(None, NOW)
    assert gate.admit(None, 5, NOW + 1)[0] == Admission(0, 89)


@pytest.mark.parametrize("asked_s", [float("nan"), float("-inf"), -5.0, 0.0, None])
def test_a_wait_that_means_nothing_holds_nothing_up(asked_s):
    gate = Gate().failed(failure(FailureCode.RATE_LIMITED, asked_s), POLICY, NOW, 1.0)
    assert gate.admit(None, 5, NOW)[0] == Admission(5)


@given(st.text())
def test_a_reason_can_be_kept_and_shown(message):
    said = Failure(FailureCode.TIMEOUT, message + "\udcff\x00\n", True, Charged.NO, Actor.PROVIDER)
    reason = Gate().failed(said, POLICY, NOW, 1.0).reason
    assert reason.encode() == reason.encode(errors="replace")
    assert len(reason) <= 300
    assert not {"\x00", "\n"} & set(reason)


def limited(wait_s: float, words: str = "slow down") -> Failure:
    return Failure(FailureCode.RATE_LIMITED, words, True, Charged.NO, Actor.NOBODY, wait_s)


def test_who_looks_sees_since_when_until_when_and_by_which_answer_an_account_is_held_back():
    gate = Gate().failed(limited(90), POLICY, NOW, 1.0)
    said = "rate_limited: slow down"
    assert gate.circuit(NOW + 30) == Circuit(wait_s=60, hold=Hold(said, 30, 60))
    assert gate.circuit(NOW + 30).hold.code == "rate_limited"
    assert gate.circuit(NOW + 90) == Circuit()


def test_a_pause_of_a_day_is_one_of_an_hour_and_says_so():
    gate = Gate().failed(limited(86_400), POLICY, NOW, 1.0)
    assert gate.circuit(NOW).hold == Hold("rate_limited: slow down", 0, LONGEST_S)


def test_of_two_answers_the_one_that_holds_back_longer_is_shown_since_the_first():
    gate = Gate().failed(limited(90, "first"), POLICY, NOW, 1.0)
    assert gate.failed(limited(10, "shorter"), POLICY, NOW + 20, 1.0) == gate
    longer = gate.failed(limited(200, "longer"), POLICY, NOW + 20, 1.0)
    assert longer.circuit(NOW + 20).hold == Hold("rate_limited: longer", 20, 200)
    later = longer.failed(limited(5, "anew"), POLICY, NOW + 300, 1.0)
    assert later.circuit(NOW + 300).hold == Hold("rate_limited: anew", 0, 5)


def test_a_circuit_that_opens_again_and_again_says_since_when():
    gate, now = opened(3)
    said = "provider_unavailable: down"
    assert gate.circuit(now - 1) == Circuit(CircuitState.OPEN, 5, 1, said, Hold(said, now - 1 - NOW, 1))
    assert gate.circuit(now) == Circuit(CircuitState.HALF_OPEN, 5, 0, said, Hold(said, now - NOW, None))
    assert gate.succeeded(None, now).circuit(now) == Circuit()
    again, moment = gate.succeeded(None, now), now + 500
    for _ in range(POLICY.failures):
        again = again.failed(DOWN, POLICY, moment, 1.0)
    assert again.circuit(moment).hold == Hold(said, 0, 10)


def test_an_open_circuit_that_was_asked_to_wait_for_longer_shows_that_answer():
    gate = opened()[0].failed(limited(3000), POLICY, NOW + 1, 1.0)
    circuit = gate.circuit(NOW + 1)
    assert (circuit.state, circuit.wait_s) == (CircuitState.OPEN, 3000)
    assert circuit.hold == Hold("rate_limited: slow down", 0, 3000)


def test_a_clock_that_was_set_back_makes_nothing_begin_in_the_future():
    gate = Gate().failed(limited(90), POLICY, NOW, 1.0)
    assert gate.circuit(NOW - 30).hold == Hold("rate_limited: slow down", 0, 120)


def test_a_moment_that_cannot_have_been_is_not_known():
    gate = Gate(held_until=NOW + 90, held_since=-9e14, held_by="rate_limited: later")
    assert gate.circuit(NOW).hold == Hold("rate_limited: later", None, 90)


def test_one_model_that_may_not_be_used_shuts_the_account_for_no_other():
    """A 403 that is not about the key, such as an organisation that has to be verified for one model."""
    gate = Gate()
    for _ in range(POLICY.failures * 3):
        gate = gate.failed(failure(FailureCode.PROVIDER_REJECTED), POLICY, NOW, 1.0)
    assert gate.admit(None, 7, NOW)[0] == Admission(7)
    assert gate.circuit(NOW) == Circuit()


@given(
    st.lists(
        st.tuples(
            st.floats(0, 5000),
            st.sampled_from(FailureCode),
            st.one_of(st.none(), st.floats(0, 1e6)),
        ),
        max_size=30,
    )
)
def test_whoever_is_not_let_through_finds_out_why(failures):
    gate, now = Gate(), NOW
    for pause_s, code, retry_after_s in failures:
        now += pause_s
        gate = gate.failed(failure(code, retry_after_s), POLICY, now, 1.0)
        admission, _ = gate.admit(None, 1, now)
        circuit = gate.circuit(now)
        if admission.granted:
            assert circuit.wait_s == 0
            continue
        assert circuit.hold is not None
        assert circuit.hold.left_s == pytest.approx(admission.wait_s)
        assert circuit.wait_s == circuit.hold.left_s
        assert round(circuit.hold.left_s, 6) <= LONGEST_S
        assert circuit.hold.since_s is not None
        assert circuit.hold.code in {"rate_limited", *(code.value for _, code, _ in failures)}
