"""An order whose answer is lost is looked up where the vendor can be asked, and not made again for want of one."""

from dataclasses import replace

from genpulse.testing.checks.check import (
    Check,
    Judge,
    is_ordered_once,
    need,
    outcome_as_it_is,
    succeeds,
    two_phase,
)
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.rig import IMPATIENT, Terms
from genpulse.testing.subject import Lacking, Subject

_UNANSWERED = (
    OddAnswer(401, Body.WORDS),
    OddAnswer(404, Body.WORDS),
    OddAnswer(422, Body.WORDS),
    OddAnswer(500, Body.HTML),
    OddAnswer(200, Body.HTML),
    OddAnswer(200, Body.NULL),
    OddAnswer(body=Body.CUT),
    OddAnswer(body=Body.DROPPED),
)
"""What says nothing about an order that is looked up."""


async def _check_look_up(subject: Subject) -> None:
    """The look-up fails for a while; some vendors are polled at the same address."""
    await _looked_up(subject, 2, succeeds, Terms())


async def _check_endless_look_up(subject: Subject) -> None:
    await _looked_up(subject, None, is_ordered_once, Terms(IMPATIENT, longest_s=0.5))


async def _looked_up(subject: Subject, times: int | None, judge: Judge, terms: Terms) -> None:
    if not two_phase(subject).can_find:
        raise Lacking("nobody can ask what became of an order")
    dropped = Oddity(Phase.ORDER, OddAnswer(body=Body.DROPPED), times=1)
    wrong = []
    for answer in _UNANSWERED:
        odd = Oddity(Phase.FIND, answer, times)
        subject.meet(dropped, odd, replace(odd, phase=Phase.POLL))
        try:
            judge(await outcome_as_it_is(subject, odd, terms))
            need(subject.fake.met > 1, "the fake was never asked about the order")
        except AssertionError as error:
            wrong.append(f"{odd}: {error}")
    need(not wrong, "\n".join(wrong))


CHECKS = (
    Check("a look-up that is not answered is made again", _check_look_up),
    Check("a look-up that is never answered is no reason to order again", _check_endless_look_up),
)
