"""What a task comes to when its vendor answers oddly, in every phase, for a moment and for ever."""

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    MayBeCharged,
    ModerationBlocked,
    OutputUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    TimedOut,
    UnknownOutcome,
)
from genpulse.domain.failure import Actor, Charged, FailureCode
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.task import TaskStatus, WaitsFor
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.provider import Model, Progress, Provider
from genpulse.provider.http import AnswerLost, AnswerTooLarge, AnswerUnusable
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import Words, memory_rows, opened_world
from tests.lifecycle.odd_vendor import OddShop, OddStudio, Script

SHORT = Bounds(missing_s=0.1, refused_s=0.2, unusable_s=0.3, question_wait_s=0.05, order_wait_s=0.05, stop_s=0.2)
FOR_EVER = 10**6
UNANSWERED_S = 1.0
"""So long an answer is waited for where none comes. Elsewhere it may take its time, on a busy machine, too."""
KIND = "text-to-video"
ENDS_WITHIN_S = 60.0
PATIENT = replace(SHORT, missing_s=ENDS_WITHIN_S, refused_s=ENDS_WITHIN_S, unusable_s=ENDS_WITHIN_S)


def refused(because: FailureCode, **more) -> Callable[[], Exception]:
    return lambda: QuestionRefused("The provider answered 4xx: no", because=because, **more)


REFUSALS = {
    "a refused question": refused(FailureCode.PROVIDER_REJECTED),
    "a refused question that blames the caller": refused(FailureCode.INVALID_INPUT),
    "a plain invalid input": lambda: InvalidInput("no"),
    "a plain moderation": lambda: ModerationBlocked("no"),
    "a plain rejection": lambda: ProviderRejected("no"),
}
ACCOUNT = {
    "a key that does not fit": refused(FailureCode.AUTHENTICATION_FAILED),
    "no credit": refused(FailureCode.QUOTA_EXHAUSTED),
    "a plain key that does not fit": lambda: AuthenticationFailed("401"),
    "a plain lack of credit": lambda: QuotaExhausted("402"),
}
DENIED = {"a wall for robots": refused(FailureCode.PROVIDER_REJECTED, denied=True)}
PASSING = {
    "a failure of its own": refused(FailureCode.PROVIDER_UNAVAILABLE),
    "too many questions": refused(FailureCode.RATE_LIMITED, retry_after_s=86_400.0),
    "503": lambda: ProviderUnavailable("503", retry_after_s=86_400.0),
    "429": lambda: RateLimited("429", retry_after_s=86_400.0),
    "a timeout": lambda: TimedOut("late"),
    "no JSON": lambda: AnswerUnusable("it is a page"),
    "a broken line": lambda: ConnectionResetError("gone"),
    "an answer that got lost": lambda: AnswerLost("gone"),
    "a mistake of the plug-in": lambda: KeyError("status"),
    "nothing at all": lambda: None,
}
UNREACHED = {"no way to it": lambda: ProviderUnreachable("no route")}
MISSING = {"no such job": refused(FailureCode.PROVIDER_REJECTED, missing=True)}
QUESTIONS = REFUSALS | ACCOUNT | DENIED | PASSING | UNREACHED | MISSING
PROVED = {
    "invalid input": lambda: InvalidInput("422"),
    "moderation": lambda: ModerationBlocked("no"),
    "a rejection": lambda: ProviderRejected("403"),
    "a key that does not fit": lambda: AuthenticationFailed("401"),
    "no credit": lambda: QuotaExhausted("402"),
    "too much": lambda: RateLimited("429", retry_after_s=86_400.0),
    "no way to it": lambda: ProviderUnreachable("no route"),
}
UNPROVED = {
    "its own word": lambda: UnknownOutcome("504"),
    "a question that is refused": refused(FailureCode.PROVIDER_UNAVAILABLE),
    "a failure that may have cost something": lambda: ProviderUnavailable("503", charged=Charged.MAYBE),
    "no JSON": lambda: AnswerUnusable("it is a page"),
    "too much JSON": lambda: AnswerTooLarge("65 MB"),
    "a broken line": lambda: ConnectionResetError("gone"),
    "a mistake of the plug-in": lambda: KeyError("id"),
    "nothing at all": lambda: None,
}
FINDS = [pytest.param(True, id="that can look up"), pytest.param(False, id="that cannot look up")]


@asynccontextmanager
async def odd(world, script, *, finds=False, cancels=True, keeps=True, bounds=None):
    """A worker of the world whose vendor answers as the script says; yields the vendor's books.

    Where the oddity passes, nothing runs out of time before the good answer.
    """
    studio, shop = OddStudio(script=script, keeps=keeps), OddShop(script=script)
    studio.can_find, studio.can_cancel = finds, cancels
    hangs = any(phase.odd is not None and phase.odd() is None for phase in script.values())
    studio.answer_s = studio.collect_s = shop.answer_s = UNANSWERED_S if hangs else ENDS_WITHIN_S
    if bounds is None:
        passes = all(phase.times < FOR_EVER for phase in script.values())
        bounds = PATIENT if passes else SHORT
        studio.longest_s = ENDS_WITHIN_S if passes else studio.longest_s
    kinds = ("text-to-video", "any")
    models = (Model("studio", kinds, Words, studio), Model("shop", kinds, Words, shop))
    catalogue = LoadedCatalogue([Provider("art", models, paid=True)])
    world.services = replace(world.services, catalogue=catalogue, bounds=bounds)
    async with world.worker():
        yield studio, shop


def cases(*tables):
    return [pytest.param(make, id=name) for table in tables for name, make in table.items()]


async def made(world, ended) -> list[bytes]:
    return [await world.content(asset) for asset in ended.outputs]


@pytest.mark.parametrize("make", cases(QUESTIONS))
async def test_an_odd_answer_to_a_poll_that_passes_costs_nothing(world, make):
    async with odd(world, {"poll": Script(make, 2)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.status, await made(world, ended)) == (TaskStatus.SUCCEEDED, [b"a fox"])
    assert (studio.submits, studio.canceled) == (1, [])


@pytest.mark.parametrize("finds", FINDS)
@pytest.mark.parametrize("make", cases(QUESTIONS))
async def test_polls_that_are_never_answered_end_and_are_told_to_the_vendor(world, make, finds):
    async with odd(world, {"poll": Script(make, FOR_EVER)}, finds=finds) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.error.code, ended.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
    assert ended.error.who_must_act is not Actor.CALLER
    assert (studio.submits, studio.canceled) == (1, ["job-1"])


@pytest.mark.parametrize("make", cases(REFUSALS, MISSING))
async def test_a_job_that_cannot_even_be_looked_up_is_told_to_the_vendor(world, make):
    script = {"poll": Script(make, FOR_EVER), "find": Script(make, FOR_EVER)}
    async with odd(world, script, finds=True) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.error.code, ended.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
    assert (studio.submits, studio.canceled) == (1, ["job-1"])


@pytest.mark.parametrize("make", cases(QUESTIONS))
async def test_what_cannot_be_stopped_is_taken_up_by_a_retry(world, make):
    script = {"poll": Script(make, FOR_EVER)}
    async with odd(world, script, cancels=False) as (studio, _):
        failed = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
        assert (failed.error.charged, failed.order.job_id) == (Charged.MAYBE, "job-1")
        script["poll"].times, studio.longest_s = 0, ENDS_WITHIN_S
        ended = await world.ended(await retry(world.services, failed.id), ENDS_WITHIN_S)
    assert (ended.status, studio.submits) == (TaskStatus.SUCCEEDED, 1)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(MISSING["no such job"], id="no such job"),
        pytest.param(REFUSALS["a refused question"], id="a refused question"),
        pytest.param(lambda: Progress(0.5), id="it goes on and on"),
    ],
)
async def test_a_vendor_that_promises_to_stop_a_job_is_asked_what_became_of_it(world, make):
    script = {"poll": Script(make, FOR_EVER)}
    async with odd(world, script) as (studio, _):
        failed = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
        assert (failed.error.charged, failed.order.job_id) == (Charged.MAYBE, "job-1")
        assert "A retry asks for this job again." in failed.error.message
        script["poll"].times, studio.longest_s = 0, ENDS_WITHIN_S
        ended = await world.ended(await retry(world.services, failed.id), ENDS_WITHIN_S)
    assert (ended.status, studio.submits, studio.canceled) == (TaskStatus.SUCCEEDED, 1, ["job-1"])


@pytest.mark.parametrize("make", cases(PASSING, UNREACHED, MISSING, ACCOUNT, DENIED))
@pytest.mark.parametrize("phase", ["collect", "download"])
async def test_a_result_that_cannot_be_used_for_a_moment_is_asked_for_again(world, phase, make):
    async with odd(world, {phase: Script(make, 2)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (await made(world, ended), ended.warnings) == ([b"a fox"], ())
    assert studio.submits == 1
    assert studio.asked["collect"] >= 3


@pytest.mark.parametrize("make", cases(PASSING, UNREACHED, MISSING, ACCOUNT, DENIED))
@pytest.mark.parametrize("phase", ["collect", "download"])
async def test_a_result_that_can_never_be_used_ends_as_paid_and_is_left_to_a_retry(world, phase, make):
    script = {phase: Script(make, FOR_EVER)}
    async with odd(world, script) as (studio, _):
        failed = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
        assert (failed.error.code, failed.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
        script[phase].times, studio.longest_s = 0, ENDS_WITHIN_S
        ended = await world.ended(await retry(world.services, failed.id), ENDS_WITHIN_S)
    assert (await made(world, ended), studio.submits) == ([b"a fox"], 1)


PLAIN = {
    "an empty result": lambda: OutputUnavailable("empty", charged=Charged.YES),
    "a job that failed after all": lambda: InvalidInput("width", charged=Charged.YES),
    "one of which nobody says what it cost": lambda: ProviderRejected("failed"),
    "one that is too large": lambda: AnswerTooLarge("66 MB"),
}


@pytest.mark.parametrize("make", cases(PLAIN))
async def test_a_plain_word_about_the_result_is_the_end_of_the_job(world, make):
    async with odd(world, {"collect": Script(make, FOR_EVER)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert ended.status is TaskStatus.FAILED
    assert ended.error.charged is not Charged.NO
    assert (ended.order, studio.submits, studio.asked["collect"]) == (None, 1, 1)


async def test_a_status_that_is_too_large_is_not_asked_for_twice(world):
    async with odd(world, {"poll": Script(PLAIN["one that is too large"], FOR_EVER)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.error.code, ended.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
    assert (studio.submits, studio.asked["poll"], studio.canceled) == (1, 1, ["job-1"])


@pytest.mark.parametrize("model", ["studio", "shop"])
@pytest.mark.parametrize("make", cases({name: PROVED[name] for name in PROVED if name != "too much"}))
async def test_an_order_that_was_proved_refused_costs_nothing(world, make, model):
    async with odd(world, {"submit": Script(make, FOR_EVER)}, keeps=False, finds=True):
        ended = await world.ended(await world.submit(f"art/{model}", kind=KIND), ENDS_WITHIN_S)
    assert (ended.status, ended.error.charged, ended.order) == (TaskStatus.FAILED, Charged.NO, None)
    assert ended.error.retry_after_s is None or ended.error.retry_after_s <= SHORT.order_wait_s


@pytest.mark.parametrize("make", cases(UNPROVED))
async def test_an_order_of_which_nobody_knows_is_looked_up_and_made_once(world, make):
    async with odd(world, {"submit": Script(make, 1)}, finds=True) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (await made(world, ended), studio.submits) == ([b"a fox"], 1)


@pytest.mark.parametrize("model", ["studio", "shop"])
@pytest.mark.parametrize("make", cases(UNPROVED))
async def test_an_order_of_which_nobody_can_tell_is_an_unknown_outcome(world, make, model):
    async with odd(world, {"submit": Script(make, 1)}) as (studio, shop):
        ended = await world.ended(await world.submit(f"art/{model}", kind=KIND), ENDS_WITHIN_S)
        assert studio.submits + shop.sold == 1
        if isinstance(make(), AnswerTooLarge) and model == "shop":
            assert (ended.error.code, ended.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
            return
        assert (ended.error.code, ended.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
        with pytest.raises(MayBeCharged, match="even_if_charged"):
            await retry(world.services, ended.id)
        assert (await world.services.store.get(ended.id)).status is TaskStatus.FAILED
        again = await world.ended(await retry(world.services, ended.id, even_if_charged=True), ENDS_WITHIN_S)
    assert (again.status, studio.submits + shop.sold) == (TaskStatus.SUCCEEDED, 2)


IN_A_STREAM = {
    name: PASSING[name] for name in PASSING if name not in {"nothing at all", "a mistake of the plug-in"}
}


@pytest.mark.parametrize("make", cases(IN_A_STREAM, UNREACHED, MISSING, ACCOUNT))
async def test_a_download_of_what_was_bought_is_made_again(world, make):
    async with odd(world, {"download": Script(make, 1)}) as (_, shop):
        ended = await world.ended(await world.submit("art/shop", kind=KIND), ENDS_WITHIN_S)
    assert (await made(world, ended), shop.sold) == ([b"a fox"], 1)


async def test_a_download_that_is_made_again_is_shown(world):
    script = {"download": Script(PASSING["503"], FOR_EVER)}
    async with odd(world, script, bounds=replace(SHORT, unusable_s=2.0)):
        task = await world.submit("art/shop", kind=KIND)
        async with asyncio.timeout(60):
            while (waiting := await world.services.store.get(task.id)).waiting_for is None:
                await asyncio.sleep(0.01)
        assert (waiting.waiting_for, waiting.last_error.message) == (WaitsFor.PROVIDER, "503")
        assert waiting.last_error.charged is Charged.YES
        script["download"].times = 0
        ended = await world.ended(task, ENDS_WITHIN_S)
    assert (ended.status, ended.waiting_for) == (TaskStatus.SUCCEEDED, None)


async def test_a_download_of_what_was_bought_ends(world):
    async with odd(world, {"download": Script(PASSING["503"], FOR_EVER)}) as (_, shop):
        began = time.monotonic()
        ended = await world.ended(await world.submit("art/shop", kind=KIND), ENDS_WITHIN_S)
    assert time.monotonic() - began >= SHORT.unusable_s
    assert (ended.error.code, ended.error.charged) == (FailureCode.OUTPUT_UNAVAILABLE, Charged.YES)
    assert (ended.error.message, shop.sold) == ("503", 1)


async def test_an_account_in_trouble_is_shown_and_waited_for(world, until):
    script = {"poll": Script(ACCOUNT["a key that does not fit"], FOR_EVER)}
    async with odd(world, script) as (studio, _):
        studio.longest_s = 60.0
        task = await world.submit("art/studio", kind=KIND)
        await until(lambda: studio.asked.get("poll", 0) > 3)
        waiting = await world.services.store.get(task.id)
        assert (waiting.waiting_for, waiting.last_error.code) == (
            WaitsFor.PROVIDER,
            FailureCode.AUTHENTICATION_FAILED,
        )
        assert waiting.last_error.charged is Charged.MAYBE
        circuit = await world.services.gate.circuit("art")
        assert (circuit.failures, "authentication_failed" in circuit.reason) == (1, True)
        script["poll"].times, studio.longest_s = 0, ENDS_WITHIN_S
        ended = await world.ended(task, ENDS_WITHIN_S)
    assert (ended.status, ended.last_error, studio.submits) == (TaskStatus.SUCCEEDED, None, 1)
    assert (await world.services.gate.circuit("art")).failures == 0


async def test_a_job_that_the_list_shows_is_asked_for_again_once(world):
    script = {"poll": Script(MISSING["no such job"], FOR_EVER)}
    async with odd(world, script, finds=True, cancels=False) as (studio, _):
        failed = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert studio.asked["find"] == 1
    assert (failed.error.code, failed.order.job_id) == (FailureCode.UNKNOWN_OUTCOME, "job-1")


async def test_a_job_that_goes_under_another_name_is_followed(world):
    script = {"poll": Script(MISSING["no such job"], FOR_EVER)}
    async with odd(world, script, finds=True) as (studio, _):

        async def find(call):
            script["poll"].times = 0
            return type(found)("job-renamed") if (found := await OddStudio.find(studio, call)) else None

        studio.find = find
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.status, studio.submits) == (TaskStatus.SUCCEEDED, 1)
    (attempt,) = await world.services.store.attempts(ended.id)
    assert attempt.job_id == "job-renamed"


async def test_a_word_that_nobody_knows_is_told_and_counts_as_going_on(world, caplog):
    words = Script(lambda: Progress(odd="purring\x00"), 3)
    async with odd(world, {"poll": words}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.status, studio.asked["poll"]) == (TaskStatus.SUCCEEDED, 4)
    ((warning),) = ended.warnings
    assert (warning.code.value, "'purring" in warning.message) == ("unknown_status", True)
    assert caplog.text.count("'purring") == 1


async def test_a_job_that_stays_in_a_state_that_nobody_knows_says_so_when_it_is_overdue(world):
    async with odd(world, {"poll": Script(lambda: Progress(odd="purring"), FOR_EVER)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.error.code, "'purring'" in ended.error.message) == (FailureCode.TIMEOUT, True)
    assert studio.canceled == ["job-1"]


@pytest.mark.parametrize("job_id", ["", "  ", "a\x00b", "x" * 3_000, None, 7])
async def test_a_job_whose_id_cannot_be_kept_is_an_unknown_outcome(world, job_id):
    async with odd(world, {}) as (studio, _):
        submit = studio.submit

        async def oddly(call):
            return type(await submit(call))(job_id)

        studio.submit = oddly
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.error.code, ended.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
    assert studio.submits == 1


async def test_a_wait_that_is_asked_for_is_bounded(world):
    waits = Script(lambda: Progress(0.5, wait_s=86_400.0), 2)
    async with odd(world, {"poll": waits}):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert ended.status is TaskStatus.SUCCEEDED


async def test_an_order_that_is_to_wait_for_a_day_waits_for_its_bound(world):
    async with odd(world, {"submit": Script(PROVED["too much"], 1)}, keeps=False) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.status, studio.submits) == (TaskStatus.SUCCEEDED, 2)


@pytest.mark.parametrize("finds", FINDS)
async def test_a_cancel_of_an_order_that_is_never_answered_says_what_it_may_have_cost(world, until, finds):
    async with odd(world, {"submit": Script(lambda: None, 1)}, finds=finds) as (studio, _):
        task = await world.submit("art/studio", kind=KIND)
        await until(lambda: studio.submits == 1)
        await cancel(world.services, task.id)
        ended = await world.ended(task, ENDS_WITHIN_S)
    assert ended.status is TaskStatus.CANCELED
    if finds:
        assert (studio.canceled, ended.error, ended.order) == (["job-1"], None, None)
        (attempt,) = await world.services.store.attempts(task.id)
        assert attempt.job_id == "job-1"
        return
    assert (ended.error.code, ended.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
    assert ended.order is not None


async def test_a_job_that_does_not_let_itself_be_stopped_is_told_of(world, until):
    script = {"poll": Script(lambda: Progress(0.5), FOR_EVER), "cancel": Script(PASSING["503"], FOR_EVER)}
    async with odd(world, script) as (studio, _):
        task = await world.submit("art/studio", kind=KIND)
        await until(lambda: studio.asked.get("poll", 0) > 1)
        await cancel(world.services, task.id)
        ended = await world.ended(task, ENDS_WITHIN_S)
    assert (ended.status, ended.error.charged) == (TaskStatus.CANCELED, Charged.MAYBE)
    assert ("job-1" in ended.error.message, ended.order.job_id) == (True, "job-1")


@st.composite
def scripts(draw):
    """Something odd in every phase, for a while or for ever.

    An account that takes no orders for a while is waited for, up to a day: that is not for ever here.
    """
    tables = {
        "submit": PROVED | UNPROVED,
        "poll": QUESTIONS,
        "collect": QUESTIONS | PLAIN,
        "download": QUESTIONS | PLAIN,
        "find": QUESTIONS,
        "cancel": QUESTIONS,
    }
    script = {}
    for phase, table in tables.items():
        if name := draw(st.none() | st.sampled_from(sorted(table))):
            times = [1, 2] if name in {"too much", "no way to it"} and phase == "submit" else [1, 2, FOR_EVER]
            script[phase] = (name, table[name], draw(st.sampled_from(times)))
    return script


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    script=scripts(),
    model=st.sampled_from(["studio", "shop"]),
    finds=st.booleans(),
    cancels=st.booleans(),
    keeps=st.booleans(),
    cancel_after_s=st.none() | st.floats(0.0, 0.3),
)
def test_whatever_is_answered_nothing_is_paid_twice_and_all_has_an_end(
    tmp_path_factory, script, model, finds, cancels, keeps, cancel_after_s
):
    asyncio.run(
        _holds(tmp_path_factory.mktemp("spool"), script, model, finds, cancels, keeps, cancel_after_s),
    )


async def _holds(folder, script, model, finds, cancels, keeps, cancel_after_s):
    played = {phase: Script(make, times) for phase, (_, make, times) in script.items()}
    submit = script.get("submit", ("", None, 0))
    proved = submit[0] in PROVED
    keeps = keeps and not proved
    async with memory_rows() as rows, opened_world(rows, folder) as world:
        async with odd(world, played, finds=finds, cancels=cancels, keeps=keeps) as (studio, shop):
            task = await world.submit(f"art/{model}", kind=KIND)
            if cancel_after_s is not None:
                await asyncio.sleep(cancel_after_s)
                await cancel(world.services, task.id)
            ended = await world.ended(task, 15.0)
        attempts = await world.services.store.attempts(task.id)
    orders = studio.submits + shop.sold
    known_lost = finds and not keeps and model == "studio"
    if not proved and not known_lost:
        assert orders <= 1
    if ended.error is not None and ended.error.charged is Charged.NO:
        assert proved or known_lost or orders == 0 or ended.order is None
        assert ended.order is None
    if ended.error is not None and not proved:
        # What a plug-in says plainly in place of a result is what became of the job.
        assert ended.error.who_must_act is not Actor.CALLER or "collect" in script
    assert ended.error is None or ended.error.message
    if ended.order is not None and ended.error is not None:
        assert ended.error.charged is not Charged.NO
    assert len(attempts) == ended.attempt


@pytest.mark.parametrize("make", cases(ACCOUNT, DENIED))
async def test_whoever_may_not_ask_waits_for_longer_than_one_whose_question_is_refused(world, make):
    bounds = replace(SHORT, refused_s=0.0, missing_s=0.0)
    async with odd(world, {"poll": Script(make, 5)}, bounds=bounds) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.status, studio.submits, studio.canceled) == (TaskStatus.SUCCEEDED, 1, [])


async def test_a_failed_job_that_may_be_charged_is_not_ordered_again_by_itself(world):
    failed = ProviderUnavailable("The job failed, try again.", charged=Charged.MAYBE)
    async with odd(world, {"poll": Script(lambda: Progress(failed=failed), FOR_EVER)}) as (studio, _):
        ended = await world.ended(await world.submit("art/studio", kind=KIND), ENDS_WITHIN_S)
    assert (ended.error.code, ended.error.charged) == (FailureCode.PROVIDER_REJECTED, Charged.MAYBE)
    assert studio.submits == 1
