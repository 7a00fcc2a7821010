"""Checks that canceled tasks are stopped at the vendor, whenever they are canceled and whatever it answers."""

import asyncio
from uuid import UUID

from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.testing.checks.check import Check, has_job, need, two_phase, until, until_async, why
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.rig import Rig, Terms, rig
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Subject

_LEASE_S = 0.6
_RENEWALS_S = 3 * _LEASE_S / 3


async def _check_cancel(subject: Subject) -> None:
    subject.need(Situation.SLOW)
    async with rig(subject) as bench:
        engine = two_phase(subject)
        async with bench.worker():
            task = await bench.submit()
            await until_async(lambda: has_job(bench, task), "the job's id was never kept")
            await cancel(bench.services, task.id)
            ended = await bench.ended(task)
    need(ended.status is TaskStatus.CANCELED, f"it ended as {ended.status}")
    expected = 1 if engine.can_cancel else 0
    need(subject.fake.canceled == expected, f"the vendor was told {subject.fake.canceled} times to stop")


async def _check_answered_after_cancel(subject: Subject) -> None:
    engine, task, fake = *await _canceled_while_ordering(subject, Situation.WELL), subject.fake
    need(task.status is TaskStatus.CANCELED, f"it ended as {task.status.value} ({why(task)})")
    need(fake.submits == 1, f"it was submitted {fake.submits} times")
    need(fake.canceled == (1 if engine else 0), f"the vendor was told {fake.canceled} times to stop")


async def _check_silent_after_cancel(subject: Subject) -> None:
    _, task = await _canceled_while_ordering(subject, Situation.LOST_ANSWER)
    need(task.status is TaskStatus.CANCELED, f"it ended as {task.status.value} ({why(task)})")
    need(subject.fake.submits == 1, f"it was submitted {subject.fake.submits} times")
    if subject.fake.canceled:
        return
    need(task.error is not None and task.error.code is FailureCode.UNKNOWN_OUTCOME, f"it says {why(task)}")
    need(task.error is not None and task.error.charged is Charged.MAYBE, f"it says {why(task)}")


async def _canceled_while_ordering(subject: Subject, then: Situation) -> tuple[bool, Task]:
    """A task that is canceled while its order is held back, through some renewals of its lease."""
    engine = two_phase(subject)
    subject.meet(Oddity(Phase.ORDER, OddAnswer(body=Body.HELD)))
    async with rig(subject, terms=Terms(lease_s=_LEASE_S)) as bench, bench.worker():
        task = await bench.submit()
        await until(lambda: subject.fake.met == 1, "the job was never submitted")
        await cancel(bench.services, task.id)
        await asyncio.sleep(_RENEWALS_S)
        subject.need(then)
        ended = await bench.ended(task)
        if then is Situation.WELL:
            await _check_job_is_kept(bench, task.id)
    need(not bench.mistakes.errors, f"a mistake was logged: {'; '.join(bench.mistakes.errors)}")
    return engine.can_cancel, ended


async def _check_job_is_kept(bench: Rig, task_id: UUID) -> None:
    attempts = await bench.services.store.attempts(task_id)
    need(attempts[-1].job_id is not None, "the id of the canceled job is kept nowhere")


async def _check_cancel_refused(subject: Subject) -> None:
    """The task is canceled, whatever the vendor says to it."""
    two_phase(subject)
    wrong = []
    for answer in [OddAnswer(status, Body.WORDS) for status in (400, 401, 404, 409, 500)] + [
        OddAnswer(200, Body.HTML)
    ]:
        subject.need(Situation.SLOW)
        async with rig(subject) as bench, bench.worker():
            task = await bench.submit()
            await until_async(lambda: has_job(bench, task), "the job's id was never kept")  # noqa: B023
            subject.meet(Oddity(Phase.CANCEL, answer))
            await cancel(bench.services, task.id)
            ended = await bench.ended(task)
        if ended.status is not TaskStatus.CANCELED or bench.mistakes.errors:
            wrong.append(f"{answer}: it ended as {ended.status.value} ({why(ended)}) {bench.mistakes.errors}")
    need(not wrong, "\n".join(wrong))


CHECKS = (
    Check("cancel reaches the vendor", _check_cancel),
    Check("a cancel that the vendor refuses cancels the task", _check_cancel_refused),
    Check("an order that is answered after its task was canceled is stopped", _check_answered_after_cancel),
    Check("an order that is never answered after a cancel may be charged", _check_silent_after_cancel),
)
