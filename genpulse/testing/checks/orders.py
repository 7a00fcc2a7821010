"""An order is made once, unless the vendor has proved that it did not take it."""

from contextlib import AsyncExitStack
from dataclasses import replace

from genpulse.domain.errors import Refused
from genpulse.domain.failure import FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.retry import retry
from genpulse.ports import Services
from genpulse.testing.checks.check import (
    Check,
    Outcome,
    in_each,
    is_ordered_once,
    need,
    outcome_of,
    succeeds,
    why,
)
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.rig import PATIENT, Terms, rig
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Lacking, Subject

_OPEN = (408, 409, 423, 425, 500, 501, 502, 503, 504, 507, 520, 522, 524, 529)
_UNREADABLE = (
    Body.HTML,
    Body.TEXT,
    Body.EMPTY,
    Body.NULL,
    Body.LIST,
    Body.OBJECT,
    Body.FALSE_GZIP,
    Body.SHORT,
    Body.EVENTS,
    Body.HUGE,
)
RETRY_AFTER = ("86400", "Fri, 31 Dec 2999 23:59:59 GMT", "1e9", "99999999999999999999", "-5", "soon", "NaN", "")
"""What vendors have put into this header."""


def _order(status: int | None, body: Body, **changes: object) -> Oddity:
    return Oddity(Phase.ORDER, replace(OddAnswer(status, body), **changes))  # type: ignore[arg-type]


def _is_tried_again(outcome: Outcome) -> None:
    need(outcome.task.status is TaskStatus.SUCCEEDED, str(outcome))
    need(outcome.submits == 2, str(outcome))


def _busy(retry_after: str) -> Oddity:
    answer = OddAnswer(429, Body.WORDS, {"Retry-After": retry_after}, "Too many requests", taken=False)
    return Oddity(Phase.ORDER, answer, times=1)


async def _check_retry_by_hand(subject: Subject) -> None:
    subject.meet(_order(504, Body.WORDS))
    async with rig(subject) as bench, bench.worker():
        failed = await bench.ended(await bench.submit())
        if failed.status is TaskStatus.SUCCEEDED:
            raise Lacking("the vendor can be asked what became of an order")
        async with AsyncExitStack() as stack:
            services = await bench.with_plug_ins(stack)
            code = await _refusal_of_retry(services, failed)
            need(code == "may_be_charged", f"a retry of what may be paid for is answered by {code!r}")
            subject.fake.be(Situation.WELL)
            await retry(services, failed.id, even_if_charged=True)
        ended = await bench.ended(failed)
    need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status.value} ({why(ended)})")


async def _refusal_of_retry(services: Services, failed: Task) -> str | None:
    try:
        await retry(services, failed.id)
    except Refused as refused:
        return refused.code
    return None


async def _check_empty_id(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.EMPTY_JOB_ID, Terms(longest_s=1.0))
    need(outcome.failure.code is FailureCode.UNKNOWN_OUTCOME, str(outcome))
    is_ordered_once(outcome)


CHECKS = (
    Check("429 with Retry-After is waited out", in_each([Situation.BUSY], _is_tried_again)),
    Check("429 without Retry-After is tried again", in_each([Situation.BUSY_SILENTLY], _is_tried_again)),
    Check(
        "whatever Retry-After says of an order, the wait is bounded",
        in_each(map(_busy, RETRY_AFTER), _is_tried_again, Terms(replace(PATIENT, order_wait_s=0.2))),
    ),
    Check("a lost answer: one submit", in_each([Situation.LOST_ANSWER], is_ordered_once)),
    Check("an answer cut off: one submit", in_each([Situation.GARBLED_ANSWER], is_ordered_once)),
    Check("a page of HTML: one submit", in_each([Situation.HTML_ANSWER], is_ordered_once)),
    Check(
        "a status that leaves the order open, in the vendor's own words: one submit",
        in_each([_order(status, Body.WORDS) for status in _OPEN], is_ordered_once),
    ),
    Check(
        "an order that is redirected: one submit",
        in_each([_order(status, Body.ELSEWHERE) for status in (301, 302, 307, 308)], is_ordered_once),
    ),
    Check(
        "a good status over an answer that is none: one submit",
        in_each([_order(None, body) for body in _UNREADABLE], is_ordered_once),
    ),
    Check("blanks before an answer are no part of it", in_each([Situation.BLANK_ANSWER], succeeds)),
    Check("a retry by hand of what may be paid for has to say so", _check_retry_by_hand),
    Check("an empty job id is an unknown outcome", _check_empty_id),
)
