"""The checks. Each runs real tasks through a worker, over real HTTP to the fake."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from genpulse.adapters.http.client import HttpClient
from genpulse.domain.errors import AuthenticationFailed
from genpulse.domain.failure import Charged, Failure, FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.watch import Update, watch
from genpulse.provider import ProviderSettings, TwoPhase
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.rig import Rig, rig
from genpulse.testing.subject import Lacking, NoticeKind, Situation, Subject

_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation. Await it with a subject: it raises `AssertionError`, or `Lacking`."""

    name: str
    run: Callable[[Subject], Awaitable[None]]

    async def __call__(self, subject: Subject) -> None:
        """Check it."""
        await self.run(subject)


@dataclass(frozen=True, slots=True)
class _End:
    """How a task has to end in a situation, after how many submits."""

    code: FailureCode
    submits: int = 1


_ENDS: Mapping[Situation, tuple[str, _End]] = {
    Situation.INVALID: ("bad input is the caller's", _End(FailureCode.INVALID_INPUT)),
    Situation.MODERATED: ("moderation is told and never retried", _End(FailureCode.MODERATION_BLOCKED)),
    Situation.BAD_KEY: ("a refused key is the operator's", _End(FailureCode.AUTHENTICATION_FAILED)),
    Situation.NO_CREDIT: ("no credit is the operator's", _End(FailureCode.QUOTA_EXHAUSTED)),
    Situation.NO_OUTPUT: ("an empty result", _End(FailureCode.OUTPUT_UNAVAILABLE)),
    Situation.EMPTY_OUTPUT: ("an output of 0 bytes", _End(FailureCode.OUTPUT_UNAVAILABLE)),
    Situation.GONE_OUTPUT: ("an output that is gone", _End(FailureCode.OUTPUT_UNAVAILABLE)),
    Situation.INSIDE_OUTPUT: ("an output inside our network", _End(FailureCode.OUTPUT_UNAVAILABLE)),
    Situation.REDIRECTED_OUTPUT: ("a redirect into our network", _End(FailureCode.OUTPUT_UNAVAILABLE)),
}
_SURVIVES: Mapping[Situation, tuple[str, int | None]] = {
    Situation.ODD_STATUS: ("an unknown status word is no end", 1),
    Situation.BUSY: ("429 with Retry-After is waited out", 2),
    Situation.BUSY_SILENTLY: ("429 without Retry-After is tried again", 2),
    Situation.POLL_DOWN: ("a vendor that is down while it works", 1),
    Situation.POLL_DROPPED: ("polls that are dropped", 1),
    Situation.SHORT_LIVED_OUTPUT: ("an output that expires soon is collected before", 1),
    Situation.BROKEN_OUTPUT: ("a download that breaks off", 1),
}
_LOST: Mapping[Situation, str] = {
    Situation.LOST_ANSWER: "a lost answer: one submit",
    Situation.GARBLED_ANSWER: "an answer cut off: one submit",
    Situation.HTML_ANSWER: "a page of HTML: one submit",
}


def _need(condition: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not condition:
        raise AssertionError(what)


async def _run(bench: Rig) -> Task:
    async with bench.worker():
        return await bench.ended(await bench.submit())


async def _check_well(subject: Subject) -> None:
    subject.need(Situation.WELL)
    async with rig(subject) as bench:
        ended = await _run(bench)
        _need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status}: {_why(ended)}")
        _need(subject.fake.submits == 1, f"it was submitted {subject.fake.submits} times")
        contents = await bench.content(ended)
        _need(bool(contents) and all(contents), "its outputs are not in our own storage")


async def _check_progress(subject: Subject) -> None:
    subject.need(Situation.SLOW)
    async with rig(subject) as bench:
        _two_phase(subject)
        task = await bench.submit()
        async with bench.worker():
            told = await _first_progress(bench, task)
            subject.fake.be(Situation.WELL)
            ended = await bench.ended(task)
        _need(told.progress is not None and 0 <= told.progress < 1, f"it is told as {told.progress} while it runs")
        _need(bool(told.progress or told.message), "nothing but 0 % is told while it runs")
        _need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status}: {_why(ended)}")


async def _first_progress(bench: Rig, task: Task) -> Update:
    try:
        async with asyncio.timeout(_WAIT_S), aclosing(watch(bench.services, task.id)) as updates:
            async for update in updates:
                if update is not None and update.task is None:
                    return update
    except TimeoutError:
        pass
    raise AssertionError("no watcher was told anything while it ran")


def _ends_as(situation: Situation, end: _End) -> Callable[[Subject], Awaitable[None]]:
    async def run(subject: Subject) -> None:
        subject.need(situation)
        async with rig(subject) as bench:
            failure = _failure(await _run(bench))
            _need(failure.code is end.code, f"its code is {failure.code}, not {end.code}: {failure.message}")
            _need(not failure.retryable, "it counts as retryable")
            _need(subject.fake.submits == end.submits, f"it was submitted {subject.fake.submits} times")
            _need(subject.fake.inside_hits == 0, "an address inside our network was reached")
            _need(_is_kept_secret(subject, failure.message), "its message holds the key")

    return run


def _survives(situation: Situation, submits: int | None) -> Callable[[Subject], Awaitable[None]]:
    async def run(subject: Subject) -> None:
        subject.need(situation)
        async with rig(subject) as bench:
            ended = await _run(bench)
            _need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status}: {_why(ended)}")
            _need(subject.fake.submits == submits, f"it was submitted {subject.fake.submits} times, not {submits}")

    return run


def _is_submitted_once(situation: Situation) -> Callable[[Subject], Awaitable[None]]:
    async def run(subject: Subject) -> None:
        subject.need(situation)
        async with rig(subject) as bench:
            ended = await _run(bench)
            _need(subject.fake.submits == 1, f"it was submitted {subject.fake.submits} times")
            if ended.status is TaskStatus.SUCCEEDED:
                return
            failure = _failure(ended)
            _need(failure.code is FailureCode.UNKNOWN_OUTCOME, f"its code is {failure.code}: {failure.message}")
            _need(failure.charged is Charged.MAYBE, f"charged is {failure.charged}, and nobody can know")

    return run


async def _check_job_failed(subject: Subject) -> None:
    subject.need(Situation.JOB_FAILED)
    async with rig(subject) as bench:
        failure = _failure(await _run(bench))
        known = failure.code is not FailureCode.INTERNAL
        _need(known, f"the failure of the job is not told apart from a bug of the plug-in: {failure.message}")
        _need(len(failure.message) > 20, f"its message says nothing: {failure.message!r}")


async def _check_resume(subject: Subject) -> None:
    subject.need(Situation.SLOW)
    async with rig(subject) as bench:
        _two_phase(subject)
        async with bench.worker():
            task = await bench.submit()
            await _until(lambda: subject.fake.submits == 1, "the job was never submitted")
            await _until_async(lambda: _has_job(bench, task), "the job's id was never kept")
        subject.fake.be(Situation.WELL)
        async with bench.worker():
            ended = await bench.ended(task)
        _need(ended.status is TaskStatus.SUCCEEDED, f"it ended as {ended.status}: {_why(ended)}")
        _need(subject.fake.submits == 1, f"it was submitted {subject.fake.submits} times")


async def _check_cancel(subject: Subject) -> None:
    subject.need(Situation.SLOW)
    async with rig(subject) as bench:
        engine = _two_phase(subject)
        async with bench.worker():
            task = await bench.submit()
            await _until_async(lambda: _has_job(bench, task), "the job's id was never kept")
            await cancel(bench.services, task.id)
            ended = await bench.ended(task)
        _need(ended.status is TaskStatus.CANCELED, f"it ended as {ended.status}")
        wanted = 1 if engine.can_cancel else 0
        _need(subject.fake.canceled == wanted, f"the vendor was told {subject.fake.canceled} times to stop")


async def _check_no_key(subject: Subject) -> None:
    if subject.key is None:
        raise Lacking("the vendor needs no key")
    subject.need(Situation.BAD_KEY)
    async with rig(subject.without_key()) as bench:
        failure = _failure(await _run(bench))
        _need(failure.code is FailureCode.AUTHENTICATION_FAILED, f"its code is {failure.code}: {failure.message}")
        _need("API_KEY" in failure.message, f"its message does not name the setting to set: {failure.message}")


async def _check_key_stays(subject: Subject) -> None:
    subject.need(Situation.WELL)
    async with rig(subject) as bench:
        ended = await _run(bench)
        seen = subject.fake.keys
        _need(subject.key is None or any(subject.key in value for value in seen), "the key was not sent")
        _need(_is_kept_secret(subject, str(ended)), "the task shows the key")


async def _check_notices(subject: Subject) -> None:
    if reason := subject.lacks.get("notices"):
        raise Lacking(reason)
    subject.need(Situation.WELL)
    async with rig(subject):
        http = HttpClient("conformance")
        settings = ProviderSettings(subject.key, subject.fake.base_url, subject.options, http)
        engine = LoadedCatalogue([subject.build(settings)]).model(subject.model).engine
        assert isinstance(engine, TwoPhase)  # noqa: S101 - others have no notices
        good = subject.fake.notice(NoticeKind.GOOD)
        heeded = {kind: await engine.heeds(subject.fake.notice(kind)) for kind in NoticeKind}
        again = await engine.heeds(good) and await engine.heeds(good)
        await http.close()
    _need(heeded[NoticeKind.GOOD], "a good notice is refused")
    _need(not heeded[NoticeKind.BAD], "a notice with a wrong signature is heeded")
    _need(not heeded[NoticeKind.OLD], "an old notice is heeded")
    _need(again, "a notice that comes twice, as vendors send them, is refused")


async def _check_probe(subject: Subject) -> None:
    async with AsyncExitStack() as stack:
        http = HttpClient("conformance")
        stack.push_async_callback(http.close)
        provider = subject.build(ProviderSettings(subject.key, subject.fake.base_url, subject.options, http))
        if provider.probe is None:
            raise Lacking("the vendor has no call that is cheap enough")
        subject.need(Situation.WELL)
        _need(bool(await provider.probe()), "it does not say what it found")
        _need(subject.fake.submits == 0, "it submitted a job")
        subject.need(Situation.BAD_KEY)
        try:
            await provider.probe()
        except AuthenticationFailed:
            return
    raise AssertionError("a refused key is not noticed")


def _two_phase(subject: Subject) -> "TwoPhase[Any]":
    settings = ProviderSettings(subject.key, subject.fake.base_url, subject.options)
    engine = LoadedCatalogue([subject.build(settings)]).model(subject.model).engine
    if not isinstance(engine, TwoPhase):
        raise Lacking("the vendor answers at once: there is no job")
    return engine


async def _has_job(bench: Rig, task: Task) -> bool:
    attempts = await bench.services.store.attempts(task.id)
    return bool(attempts) and attempts[-1].job_id is not None


async def _until(holds: Callable[[], bool], otherwise: str) -> None:
    async def ask() -> bool:
        return holds()

    await _until_async(ask, otherwise)


async def _until_async(holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    try:
        async with asyncio.timeout(_WAIT_S):
            while not await holds():  # noqa: ASYNC110 - the fake has nothing to wait for
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(otherwise) from None


def _failure(task: Task) -> Failure:
    if task.status is not TaskStatus.FAILED or task.error is None:
        raise AssertionError(f"it ended as {task.status}, and not as failed")
    return task.error


def _why(task: Task) -> str:
    return f"{task.error.code}: {task.error.message}" if task.error else "no error"


def _is_kept_secret(subject: Subject, text: str) -> bool:
    return subject.key is None or subject.key not in text


CHECKS: tuple[Check, ...] = (
    Check("a task from submit to our own storage", _check_well),
    Check("progress reaches a watcher while it runs", _check_progress),
    *(Check(name, _ends_as(situation, end)) for situation, (name, end) in _ENDS.items()),
    *(Check(name, _survives(situation, submits)) for situation, (name, submits) in _SURVIVES.items()),
    *(Check(name, _is_submitted_once(situation)) for situation, name in _LOST.items()),
    Check("a job that fails", _check_job_failed),
    Check("a fresh process goes on with the job", _check_resume),
    Check("cancel reaches the vendor", _check_cancel),
    Check("a missing key names the setting", _check_no_key),
    Check("the key is sent, and shown nowhere", _check_key_stays),
    Check("notices: good, wrong, old, twice", _check_notices),
    Check("the cheapest call tells whether the key is taken", _check_probe),
)
"""Every check, in the order in which the table shows them."""
