"""Claims tasks while there is room for them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from genpulse.background.loops import Loops
from genpulse.domain.attempt import HeldLease, Worker
from genpulse.domain.errors import Unavailable
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.lifecycle.claim import ClaimResult, NewIds, claim_free, claim_within_limits, is_free
from genpulse.ports import QueueMark, Services
from genpulse.worker.attempt_ids import AttemptIds
from genpulse.worker.options import WorkerOptions
from genpulse.worker.running_attempts import SETTLE_S, RunningAttempts

AWAY_PAUSE_S = 1.0
SHORTEST_S = 0.01
CLAIMS_IN_A_TURN = 20
"""So many claims follow each other before the loop that makes them has its turn."""

Claiming: TypeAlias = Callable[[Services, Worker, Sequence[str], int, NewIds], Awaitable[ClaimResult]]
"""One way to claim tasks: `claim_free` or `claim_within_limits`."""

_log = logging.getLogger(__name__)


class Claimer:
    """Claims tasks for one worker, and starts their attempts in `running`."""

    def __init__(self, services: Services, options: WorkerOptions, worker: Worker, loops: Loops) -> None:
        self._services = services
        self._options = options
        self._worker = worker
        self._loops = loops
        self._providers = options.providers or services.catalogue.providers()
        self._room = asyncio.Event()
        self.running = RunningAttempts(services, loops, self._room.set)
        self._ids = AttemptIds(services.new_id, options.batch)
        self._reserved = 0
        self._stops = False
        self._renewed_at = time.monotonic()

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose tasks are claimed."""
        return self._providers

    async def claim_until(self, stop: asyncio.Event) -> None:
        """Claim and start tasks until `stop` is set.

        Providers with limits have loops of their own: what has to be asked before their tasks are claimed delays
        nobody else's. Where this is cancelled, perhaps with all tasks of the process, what runs is given up.
        """
        free = [name for name in self._providers if is_free(self._services, name)]
        guarded = [name for name in self._providers if self._services.gate.guards(name)]
        limited = [name for name in self._providers if name not in free and name not in guarded]
        ways = ((claim_free, free), (claim_within_limits, limited), (claim_within_limits, guarded))
        loops = [asyncio.create_task(self._claim_for_ever(way, names)) for way, names in ways if names]
        try:
            await stop.wait()
        except BaseException:
            self.running.give_up()
            raise
        finally:
            self._stops = True
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _claim_for_ever(self, claiming: Claiming, providers: Sequence[str]) -> None:
        await self._loops.forever(
            _name_of(providers),
            lambda: self._claim_once(claiming, providers),
            away=(Unavailable,),
            longest_pause_s=AWAY_PAUSE_S,
        )

    async def _claim_once(self, claiming: Claiming, providers: Sequence[str]) -> None:
        room = self._free_room()
        if room <= 0:
            self._room.clear()
            await self._room.wait()
            return
        last = await self._claim_whole(claiming, providers, room)
        if not last.result.more:
            await self._services.queue.wait(last.mark, providers, self._wait_s(last.result))

    def _free_room(self) -> int:
        """How many tasks may be claimed at once."""
        return min(self._options.concurrency - len(self.running) - self._reserved, self._options.batch)

    def _wait_s(self, result: ClaimResult) -> float:
        """A worker that is not known as alive is given nothing, and is soon known again."""
        wait_s = self._options.look_again_s
        if time.monotonic() - self._renewed_at > self._options.lease_s:
            wait_s = min(wait_s, AWAY_PAUSE_S)
        return wait_s if result.again_s is None else min(max(result.again_s, SHORTEST_S), wait_s)

    async def _claim_whole(self, claiming: Claiming, providers: Sequence[str], room: int) -> "_Answer":
        """Claim and start. It is not cut off by a stop of the worker: what was claimed has to run or go back."""
        pending = self._ask(claiming, providers, room)
        claim = asyncio.ensure_future(self._claim_and_start(claiming, providers, pending))
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            await self._wait_for_last(claim)
            raise

    async def _wait_for_last(self, claim: "asyncio.Future[_Answer]") -> None:
        """Wait for a claim whose loop is gone, and log what it raises.

        One that is not answered for two seconds is given up: what it still begins goes with this worker's lease.
        """
        await asyncio.wait({claim}, timeout=SETTLE_S)
        claim.cancel()
        try:
            await claim
        except asyncio.CancelledError:
            _log.warning("the last claim before the stop was not answered and is given up")
        except Unavailable as error:
            _log.warning("the last claim before the stop was not answered: %s", error)
        except Exception:  # noqa: BLE001 - as in any turn of the loop
            self._loops.failed("claiming work")

    async def _claim_and_start(
        self, claiming: Claiming, providers: Sequence[str], pending: "asyncio.Task[_Answer]"
    ) -> "_Answer":
        """Start what a claim brings, and claim on while there is more, and room for it; returns the last answer.

        What a claim has brought begins when the next one was sent: so many attempts that begin keep the event loop
        busy for as long as the database needs to answer. Now and then the loop has its turn, and says that all is
        well.
        """
        try:
            for _ in range(CLAIMS_IN_A_TURN):
                answer = await pending
                if not answer.result.more or self._stops or (room := self._free_room()) <= 0:
                    break
                pending = self._ask(claiming, providers, room)
                self.running.begin(answer.runs)
            return await pending
        finally:
            # Also what was answered in the moment in which this was given up.
            if pending.done() and not pending.cancelled() and pending.exception() is None:
                self.running.begin(pending.result().runs)

    def _ask(self, claiming: Claiming, providers: Sequence[str], room: int) -> "asyncio.Task[_Answer]":
        """Send a claim. From this moment on its room is nobody else's."""
        self._reserved += room
        pending = asyncio.create_task(self._answer(claiming, providers, room))
        pending.add_done_callback(lambda _: self._release(room))
        return pending

    def _release(self, room: int) -> None:
        self._reserved -= room
        self._room.set()

    async def _answer(self, claiming: Claiming, providers: Sequence[str], room: int) -> "_Answer":
        mark = self._services.queue.mark()
        with self._loops.soon_over(_name_of(providers)), self._ids.for_claim() as ids:
            result = await claiming(self._services, self._worker, providers, room, ids.take)
            ids.used.update(claim.attempt.id for claim in result.claims)
            return _Answer(mark, result, [self.running.admit(claim) for claim in result.claims])

    async def take_over(self) -> None:
        """Go on with work whose worker is lost, as far as there is room. Raises `DatabaseUnavailable`."""
        while not self.running.draining and (room := self._free_room()) > 0:
            with self._ids.for_claim() as ids:
                claims = await self._services.store.take_over(self._worker, self._providers, ids.take(room))
                for claim in claims:
                    ids.used.add(claim.attempt.id)
                    self.running.start(claim)
            if len(claims) < room:
                return

    async def reconcile(self, held_leases: Collection[HeldLease], ran_before: Collection[UUID]) -> None:
        """Bring what runs here in line with the leases that this worker holds, as the database says.

        What somebody else has taken over is stopped, and so is what somebody does not want any more. What was
        claimed and does not run here, since the answer was lost, is started. `ran_before` are the attempts that
        ran here before the database was asked. Raises `DatabaseUnavailable`.
        """
        self._renewed_at = time.monotonic()
        leases = {one.lease.attempt_id: one.lease for one in held_leases}
        for one in held_leases:
            if one.unwanted:
                self.running.interrupt_task(one.lease.task_id, Interruption.CANCELED)
        self.running.interrupt_lost(set(ran_before) - leases.keys())
        unanswered = leases.keys() - self.running.ids - self._ids.in_claims.union(ran_before)
        if unanswered:
            _log.warning("%d tasks were claimed whose claim was not answered; they begin now", len(unanswered))
            for claim in await self._services.store.claims_of([leases[one] for one in unanswered]):
                self.running.start(claim)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a claim: the runs that it gave this worker, and the mark from before it was sent."""

    mark: QueueMark
    result: ClaimResult
    runs: Sequence[AttemptRun]


def _name_of(providers: Sequence[str]) -> str:
    """The name of the loop that claims their tasks."""
    return f"claiming work of {', '.join(providers)}"
