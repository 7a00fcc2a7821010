"""Claims tasks while there is room, and holds those that run."""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from typing import cast
from uuid import UUID

from genpulse.background.loops import Loops
from genpulse.domain.attempt import Begun, Held, Worker
from genpulse.domain.errors import Unavailable
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.lifecycle.attempt.run import Run
from genpulse.lifecycle.claim import ClaimResult, claim
from genpulse.ports import Services
from genpulse.worker.options import WorkerOptions

AWAY_PAUSE_S = 1.0
SHORTEST_S = 0.01
SETTLES_S = 2.0
"""Seconds in which what is given back is written, at the least."""

_log = logging.getLogger(__name__)


class WorkLoop:
    """The running tasks of one worker, and the loops that add to them."""

    def __init__(self, services: Services, options: WorkerOptions, worker: Worker, loops: Loops) -> None:
        self._services = services
        self._options = options
        self._worker = worker
        self._loops = loops
        self._providers = options.providers or services.catalogue.providers()
        self._runs: dict[UUID, Run] = {}
        self._newest: dict[UUID, Run] = {}
        self._tasks: dict[asyncio.Task[None], Begun] = {}
        self._renewed_at = time.monotonic()
        self._about_to_begin: set[UUID] = set()
        self._spare_ids: list[UUID] = []
        self._reserved = 0
        self._room = asyncio.Event()
        self._stopping = False

    @property
    def providers(self) -> tuple[str, ...]:
        """Whose tasks are claimed."""
        return self._providers

    @property
    def running(self) -> int:
        """How many tasks run here."""
        return len(self._tasks)

    async def claim_until(self, stop: asyncio.Event) -> None:
        """Claim and start tasks until `stop` is set.

        Providers that are guarded have a loop of their own: what has to be asked before their work is claimed
        delays nobody else's.
        """
        guarded = [name for name in self._providers if self._services.gate.guards(name)]
        free = [name for name in self._providers if name not in guarded]
        loops = [
            asyncio.create_task(self._claim_for_ever(providers)) for providers in (free, guarded) if providers
        ]
        try:
            await stop.wait()
        finally:
            await _end(loops)

    async def _claim_for_ever(self, providers: Sequence[str]) -> None:
        await self._loops.forever(
            f"claiming work of {', '.join(providers)}",
            lambda: self._claim(providers),
            away=(Unavailable,),
            longest_pause_s=AWAY_PAUSE_S,
        )

    async def _claim(self, providers: Sequence[str]) -> None:
        mark = self._services.queue.mark()
        room = min(self._options.concurrency - len(self._tasks) - self._reserved, self._options.batch)
        if room <= 0:
            self._room.clear()
            await self._room.wait()
            return
        catch = await self._begin(providers, room)
        if not catch.more:
            await self._services.queue.wait(mark, providers, self._rest_s(catch))

    def _rest_s(self, catch: ClaimResult) -> float:
        """A worker that is not known as alive is given nothing, and is soon known again."""
        rest_s = self._options.look_again_s
        if time.monotonic() - self._renewed_at > self._options.lease_s:
            rest_s = min(rest_s, AWAY_PAUSE_S)
        return rest_s if catch.again_s is None else min(max(catch.again_s, SHORTEST_S), rest_s)

    async def _begin(self, providers: Sequence[str], room: int) -> ClaimResult:
        """Claim and start. It is not cut off by a stop of the worker: what was claimed has to run or go back."""
        begin = asyncio.ensure_future(self._claim_and_start(providers, room))
        self._reserved += room
        try:
            return await asyncio.shield(begin)
        except asyncio.CancelledError:
            await self._settled(begin)
            raise
        finally:
            self._reserved -= room
            self._room.set()

    async def _settled(self, begin: asyncio.Future[ClaimResult]) -> None:
        """The end of a claim whose loop is gone; what it raises is told in its place.

        One that is not answered for two seconds is given up: what it still begins goes with this worker's lease.
        """
        await asyncio.wait({begin}, timeout=SETTLES_S)
        begin.cancel()
        try:
            await begin
        except asyncio.CancelledError:
            _log.warning("the last claim before the stop was not answered and is given up")
        except Unavailable as error:
            _log.warning("the last claim before the stop was not answered: %s", error)
        except Exception:  # noqa: BLE001 - as in any turn of the loop
            self._loops.failed("claiming work")

    async def _claim_and_start(self, providers: Sequence[str], room: int) -> ClaimResult:
        ids: list[UUID] = []

        def new_ids(count: int) -> Sequence[UUID]:
            made = self._new_ids(count)
            ids.extend(made)
            self._about_to_begin.update(made)
            return made

        try:
            catch = await claim(self._services, self._worker, providers, room, new_ids)
            for begun in catch.begun:
                self.start(begun)
            self._keep_spare(ids, catch)
            return catch
        finally:
            self._about_to_begin.difference_update(ids)

    def _new_ids(self, count: int) -> list[UUID]:
        """Ids of attempts, first those that are left over: most claims begin few of what there is room for."""
        made = self._spare_ids[:count]
        del self._spare_ids[:count]
        return made + [self._services.new_id() for _ in range(count - len(made))]

    def _keep_spare(self, ids: Sequence[UUID], catch: ClaimResult) -> None:
        """The claim was answered, so that nothing else has begun under these ids."""
        used = {begun.lease.attempt_id for begun in catch.begun}
        self._spare_ids += [one for one in ids if one not in used]
        del self._spare_ids[self._options.batch :]

    def start(self, begun: Begun) -> None:
        """Run an attempt that has begun."""
        run = Run(self._services, begun)
        self._runs[begun.lease.attempt_id] = self._newest[begun.task.id] = run
        if self._stopping:
            run.interrupt(Interruption.RELEASED)
        task = asyncio.create_task(self._run(begun, run))
        self._tasks[task] = begun

    async def _run(self, begun: Begun, run: Run) -> None:
        try:
            await run()
        except Exception:  # noqa: BLE001 - a run that ends in no way leaves its lease to run out
            self._loops.failed("a run")
        finally:
            del self._runs[begun.lease.attempt_id]
            if self._newest.get(begun.task.id) is run:
                del self._newest[begun.task.id]
            self._tasks.pop(_this_task(), None)
            self._room.set()

    def interrupt(self, why: Interruption, task_id: UUID) -> None:
        """Stop one task, if it runs here."""
        if (run := self._newest.get(task_id)) is not None:
            run.interrupt(why)

    def hear_change(self, task_id: UUID) -> None:
        """A provider has told something about this task, which may run here."""
        if (run := self._newest.get(task_id)) is not None:
            run.hear_change()

    async def take_over(self) -> None:
        """Go on with work whose worker is lost, as far as there is room. Raises `DatabaseUnavailable`."""
        room = self._options.concurrency - len(self._tasks) - self._reserved
        while room > 0 and not self._stopping:
            ids = [self._services.new_id() for _ in range(min(room, self._options.batch))]
            self._about_to_begin.update(ids)
            try:
                taken = await self._services.store.take_over(self._worker, self._providers, ids)
            finally:
                self._about_to_begin.difference_update(ids)
            for begun in taken:
                self.start(begun)
            if len(taken) < len(ids):
                return
            room -= len(taken)

    async def compare(self, held: Collection[Held], before: Collection[UUID]) -> None:
        """Bring what runs here in line with what this worker holds.

        What somebody else has taken over is stopped, and so is what somebody does not want any more. What was
        claimed and is not known here, since the answer was lost, is begun. `before` are the attempts that ran here
        before the database was asked. Raises `DatabaseUnavailable`.
        """
        self._renewed_at = time.monotonic()
        leases = {one.lease.attempt_id: one.lease for one in held}
        for one in held:
            if one.unwanted:
                self.interrupt(Interruption.CANCELED, one.lease.task_id)
        for attempt_id, run in tuple(self._runs.items()):
            if attempt_id in before and attempt_id not in leases:
                run.interrupt(Interruption.LEASE_LOST)
        unheard = leases.keys() - self.attempt_ids - self._about_to_begin - set(before)
        if unheard:
            _log.warning("%d tasks were claimed whose claim was not answered; they begin now", len(unheard))
            for begun in await self._services.store.begun([leases[one] for one in unheard]):
                self.start(begun)

    @property
    def attempt_ids(self) -> frozenset[UUID]:
        """The attempts that run here."""
        return frozenset(self._runs)

    async def drain(self) -> None:
        """Let go of what can go, and wait for what cannot.

        A job that is known is given back at once, since it is only taken up elsewhere; so is what has ordered
        nothing. Work that is done here gets `grace_s` seconds. An order that was sent is awaited, with its output
        where that is the answer, for `stop_s` seconds in all: giving it up loses what is paid.
        """
        self._stopping = True
        began_at = asyncio.get_running_loop().time()
        for run in tuple(self._runs.values()):
            if not run.is_local:
                run.interrupt(Interruption.RELEASED)
        await self._wait_for(self._local_tasks(), self._options.grace_s)
        for run in tuple(self._runs.values()):
            run.interrupt(Interruption.RELEASED)
        gone_s = asyncio.get_running_loop().time() - began_at
        await self._wait_for(self._tasks, max(self._options.stop_s - gone_s, SETTLES_S))
        for begun in self._tasks.values():
            _log.warning(
                "task %s is not done within worker.stop_s (%g s) and is left to another worker; what it has"
                " ordered may be paid for in vain",
                begun.task.id,
                self._options.stop_s,
            )

    async def abandon(self) -> None:
        """End what still runs here, and write nothing about it: its lease runs out."""
        await _end(list(self._tasks))

    def _local_tasks(self) -> Collection[asyncio.Task[None]]:
        return [task for task, begun in self._tasks.items() if self._runs[begun.lease.attempt_id].is_local]

    @staticmethod
    async def _wait_for(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
        if tasks:
            await asyncio.wait(list(tasks), timeout=seconds)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _this_task() -> asyncio.Task[None]:
    return cast("asyncio.Task[None]", asyncio.current_task())
