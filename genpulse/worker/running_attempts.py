"""The attempts that run in one worker."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from genpulse.background.cancellations import end_tasks
from genpulse.background.loops import Loops
from genpulse.domain.attempt import Claim
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.lifecycle.attempt.run import run_attempt
from genpulse.ports import Services

CANCELED_AGAIN_S = 0.5
"""So long has an attempt for what it cleans up when it is abandoned."""
SETTLE_S = 2.0
"""Seconds in which what is given back is written, at the least."""
LOOKED_AT_S = 0.5

_log = logging.getLogger(__name__)


class RunningAttempts:
    """Starts attempts, and stops them. `on_end` is called after each; while `draining` each goes back at once."""

    def __init__(self, services: Services, loops: Loops, on_end: Callable[[], None] = lambda: None) -> None:
        self._services = services
        self._loops = loops
        self._on_end = on_end
        self._runs: dict[UUID, AttemptRun] = {}
        self._newest_of_task: dict[UUID, AttemptRun] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self.draining = False
        self._is_given_up = False

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def ids(self) -> frozenset[UUID]:
        """The ids of these attempts."""
        return frozenset(self._runs)

    def start(self, claim: Claim) -> None:
        """Run an attempt that has begun."""
        self.begin([self.admit(claim)])

    def admit(self, claim: Claim) -> AttemptRun:
        """Count an attempt among those that run here, and hand it over to be begun."""
        run = AttemptRun(self._services, claim)
        self._runs[run.attempt.id] = self._newest_of_task[run.task.id] = run
        if self._is_given_up:
            run.abandon()
        elif self.draining:
            run.interrupt(Interruption.RELEASED)
        return run

    def begin(self, runs: Iterable[AttemptRun]) -> None:
        """Let them run that were admitted."""
        for run in runs:
            self._tasks[run.attempt.id] = asyncio.create_task(self._run(run))

    async def _run(self, run: AttemptRun) -> None:
        try:
            await run_attempt(run)
        except asyncio.CancelledError:
            if not run.is_abandoned:
                self._loops.failed("a run that nobody has cancelled")
            raise
        except Exception:  # noqa: BLE001 - a run that ends in no way leaves its lease to run out
            self._loops.failed("a run")
        finally:
            del self._runs[run.attempt.id], self._tasks[run.attempt.id]
            if self._newest_of_task.get(run.task.id) is run:
                del self._newest_of_task[run.task.id]
            self._on_end()

    def interrupt_task(self, task_id: UUID, why: Interruption) -> None:
        """Stop the newest attempt at a task, if it runs here."""
        if (run := self._newest_of_task.get(task_id)) is not None:
            run.interrupt(why)

    def interrupt_lost(self, attempt_ids: Collection[UUID]) -> None:
        """Stop attempts whose lease is lost, those that run here."""
        for attempt_id in attempt_ids:
            if (run := self._runs.get(attempt_id)) is not None:
                run.interrupt(Interruption.LEASE_LOST)

    def poll_now(self, task_id: UUID) -> None:
        """Ask the vendor about a task at once, if it runs here: the vendor has sent a callback."""
        if (run := self._newest_of_task.get(task_id)) is not None:
            run.poll_now()

    async def drain(self, *, grace_s: float, stop_s: float) -> None:
        """Let go of what can go, and wait for what cannot.

        A job that is known is given back at once, since it is only taken up elsewhere; so is what has ordered
        nothing. Work that is done here gets `grace_s` seconds. An order that was sent is awaited, with its output
        where that is the answer, for `stop_s` seconds in all: giving it up loses what is paid. What is given back
        is written within a moment; where the database is away, its lease runs out.
        """
        self.draining = True
        began_at = asyncio.get_running_loop().time()
        local = {attempt_id for attempt_id, run in self._runs.items() if run.is_local}
        self._release(self._runs.keys() - local)
        await self._wait_for(local, grace_s)
        self._release(self._runs.keys())
        gone_s = asyncio.get_running_loop().time() - began_at
        await self._wait_for_what_holds(max(stop_s - gone_s, SETTLE_S))
        for run in self._runs.values():
            if run.is_given_back:
                _log.warning(
                    "task %s goes to another worker when the lease of this one has run out: the database did not"
                    " answer within %g s when it was to be given back",
                    run.task.id,
                    SETTLE_S,
                )
                continue
            _log.warning(
                "task %s is not done within worker.stop_s (%g s) and is left to another worker; what it has"
                " ordered may be paid for in vain",
                run.task.id,
                stop_s,
            )

    def _release(self, attempt_ids: Collection[UUID]) -> None:
        for attempt_id in tuple(attempt_ids):
            self._runs[attempt_id].interrupt(Interruption.RELEASED)

    async def _wait_for(self, attempt_ids: Collection[UUID], seconds: float) -> None:
        if tasks := [self._tasks[attempt_id] for attempt_id in attempt_ids if attempt_id in self._tasks]:
            await asyncio.wait(tasks, timeout=seconds)

    def give_up(self) -> None:
        """Let what still runs here write nothing more, and what is admitted from now on: its lease runs out."""
        self._is_given_up = True
        for run in self._runs.values():
            run.abandon()

    async def _wait_for_what_holds(self, seconds: float) -> None:
        """Wait so long for what is not given back yet, and for the others just until that is written."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        while (left_s := ends_at - loop.time()) > 0:
            holding = [one for one, run in self._runs.items() if not run.is_given_back]
            if not holding:
                await self._wait_for(self._runs.keys(), min(left_s, SETTLE_S))
                return
            await self._wait_for(holding, min(left_s, LOOKED_AT_S))

    async def abandon(self) -> None:
        """Give up what still runs here, and end it.

        What raises an error in place of its cancellation, as plug-ins may, is cancelled again.
        """
        self.give_up()
        await end_tasks(*self._tasks.values(), again_s=CANCELED_AGAIN_S)
