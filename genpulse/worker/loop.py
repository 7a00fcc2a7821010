"""Claims tasks while there is room, and holds those that run."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

from genpulse.domain.attempt import Claim
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.lifecycle.claim import claim
from genpulse.lifecycle.interruption import Interruption
from genpulse.lifecycle.patience import patiently
from genpulse.lifecycle.run import Run
from genpulse.ports import Services
from genpulse.worker.options import WorkerOptions

AWAY_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


class WorkLoop:
    """The running tasks of one worker, and the loop that adds to them."""

    def __init__(self, services: Services, options: WorkerOptions, name: str) -> None:
        self._services = services
        self._options = options
        self._name = name
        self._providers = options.providers or services.catalogue.providers()
        self._runs: dict[int, tuple[Claim, Run | None]] = {}
        self._tasks: dict[asyncio.Task[None], Claim] = {}
        self._reserved = 0
        self._changed = asyncio.Event()
        self._released = False

    @property
    def providers(self) -> tuple[str, ...]:
        """Whose tasks are claimed."""
        return self._providers

    @property
    def held(self) -> tuple[Claim, ...]:
        """What this worker has claimed and not yet ended."""
        return tuple(claimed for claimed, _ in self._runs.values())

    async def claim_until(self, stop: asyncio.Event) -> None:
        """Claim and start tasks until `stop` is set.

        Providers that are guarded have a loop of their own: what has to be asked before their work is claimed
        delays nobody else's.
        """
        guarded = [name for name in self._providers if self._services.gate.guards(name)]
        free = [name for name in self._providers if name not in guarded]
        async with asyncio.TaskGroup() as loops:
            for providers in (free, guarded):
                if providers:
                    loops.create_task(self._claim_until(stop, providers))

    async def _claim_until(self, stop: asyncio.Event, providers: Sequence[str]) -> None:
        while not stop.is_set():
            try:
                await self._claim(stop, providers)
            except DatabaseUnavailable as error:
                _log.warning("no work can be claimed: %s", error)
                await _first_of(stop.wait(), asyncio.sleep(AWAY_PAUSE_S))

    async def _claim(self, stop: asyncio.Event, providers: Sequence[str]) -> None:
        room = min(self._options.concurrency - len(self._runs) - self._reserved, self._options.batch)
        if room <= 0:
            self._changed.clear()
            await _first_of(stop.wait(), self._changed.wait())
            return
        self._reserved += room
        try:
            catch = await claim(self._services, providers, room)
            for claimed in catch.claims:
                self._start(claimed)
        finally:
            self._reserved -= room
            self._changed.set()
        if not catch.more:
            rest_s = self._options.look_again_s
            rest_s = rest_s if catch.again_s is None else min(catch.again_s, rest_s)
            await _first_of(stop.wait(), self._services.queue.wait(rest_s))

    def _start(self, claimed: Claim) -> None:
        if claimed.ticket in self._runs:
            return
        self._runs[claimed.ticket] = (claimed, None)
        task = asyncio.create_task(self._run(claimed))
        self._tasks[task] = claimed
        task.add_done_callback(self._tasks.pop)

    async def _run(self, claimed: Claim) -> None:
        try:
            begun = await patiently(
                "the start of task %s",
                claimed.task_id,
                lambda: self._services.store.begin(
                    claimed,
                    attempt_id=self._services.new_id(),
                    worker=self._name,
                    now=self._services.now(),
                ),
                random=self._services.random,
            )
            if begun is not None:
                run = Run(self._services, begun)
                self._runs[claimed.ticket] = (claimed, run)
                if self._released:
                    run.interrupt(Interruption.RELEASED)
                await run()
        finally:
            del self._runs[claimed.ticket]
            self._changed.set()

    def interrupt(self, why: Interruption, *, only: frozenset[UUID] | None = None) -> None:
        """Stop running tasks: those whose ids are in `only`, or all."""
        for claimed, run in list(self._runs.values()):
            if run is not None and (only is None or claimed.task_id in only):
                run.interrupt(why)

    def hear_change(self, task_id: UUID) -> None:
        """A provider has told something about this task, which may run here."""
        for claimed, run in self._runs.values():
            if run is not None and claimed.task_id == task_id:
                run.hear_change()

    async def drain(self) -> None:
        """Let running tasks end for `grace_s` seconds, then give the rest back to the queue."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._options.grace_s)
        self._released = True
        self.interrupt(Interruption.RELEASED)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(self._options.grace_s, 2.0))
        for task, claimed in list(self._tasks.items()):
            _log.warning("task %s could not be given back in time; another worker finds it later", claimed.task_id)
            task.cancel()


async def _first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is done and end the others; raise what it raised."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
