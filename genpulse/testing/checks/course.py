"""The way of a task when nothing is odd: told, taken over, canceled, failed."""

import asyncio
from contextlib import aclosing

from genpulse.domain.failure import FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.watch import Update, watch
from genpulse.testing.checks.check import (
    WAIT_S,
    Check,
    has_job,
    need,
    outcome_of,
    succeeds,
    two_phase,
    until,
    until_async,
    why,
)
from genpulse.testing.rig import Rig, rig
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Subject


async def _check_well(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.WELL)
    succeeds(outcome)
    need(bool(outcome.contents) and all(outcome.contents), "its outputs are not in our own storage")


async def _check_progress(subject: Subject) -> None:
    subject.need(Situation.SLOW)
    async with rig(subject) as bench:
        two_phase(subject)
        task = await bench.submit()
        async with bench.worker():
            task_view = await _first_progress(bench, task)
            subject.fake.be(Situation.WELL)
            ended = await bench.ended(task)
    need(
        task_view.progress is not None and 0 <= task_view.progress < 1,
        f"it is told as {task_view.progress} while it runs",
    )
    need(bool(task_view.progress or task_view.message), "nothing but 0 % is told while it runs")
    need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status}: {why(ended)}")


async def _first_progress(bench: Rig, task: Task) -> Update:
    try:
        async with asyncio.timeout(WAIT_S), aclosing(watch(bench.services, task.id)) as updates:
            async for update in updates:
                if update is not None and update.task is None:
                    return update
    except TimeoutError:
        pass
    raise AssertionError("no watcher was told anything while it ran")


async def _check_job_failed(subject: Subject) -> None:
    failure = (await outcome_of(subject, Situation.JOB_FAILED)).failure
    known = failure.code is not FailureCode.INTERNAL
    need(known, f"the failure of the job is not told apart from a bug of the plug-in: {failure.message}")
    need(len(failure.message) > 20, f"its message says nothing: {failure.message!r}")


async def _check_resume(subject: Subject) -> None:
    subject.need(Situation.SLOW)
    async with rig(subject) as bench:
        two_phase(subject)
        async with bench.worker():
            task = await bench.submit()
            await until(lambda: subject.fake.submits == 1, "the job was never submitted")
            await until_async(lambda: has_job(bench, task), "the job's id was never kept")
        subject.fake.be(Situation.WELL)
        async with bench.worker():
            ended = await bench.ended(task)
    need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status}: {why(ended)}")
    need(subject.fake.submits == 1, f"it was submitted {subject.fake.submits} times")


CHECKS = (
    Check("a task from submit to our own storage", _check_well),
    Check("progress reaches a watcher while it runs", _check_progress),
    Check("a job that fails", _check_job_failed),
    Check("a fresh process goes on with the job", _check_resume),
)
