"""One case: a scenario, and what goes wrong in it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import asyncpg

from genpulse.domain.errors import GenPulseError, Unavailable
from tests.crash_points import stage
from tests.crash_points.faults import Fault, Injection, Injector
from tests.crash_points.lane import Lane
from tests.crash_points.proxy import Point
from tests.crash_points.stage import LEASE_S, Process, World, world_of
from tests.crash_points.vendor import Books, Manner

LOOK_S = 0.03
ENDS_WITHIN = 350
AFTERWARDS = 120
"""So many looks: each asks the database, so that a machine that is busy with other things is given longer."""
HASTENS_S = 0.7
LOOKED_AT_S = 0.05
CONNECTED_EVERY_S = 0.2
CONNECTS_WITHIN_S = LEASE_S / 4
"""A renewal whose connection broke needs a new one: where that takes longer, leases run out."""


@dataclass(frozen=True)
class Scenario:
    """A story without faults, and how its tasks may end.

    `expected` are statuses, or error codes of failed tasks. `gone`: its tasks are removed in the end.
    """

    name: str
    act: "Callable[[Play], Awaitable[None]]"
    expected: frozenset[str] = frozenset({"succeeded"})
    manner: Manner = field(default_factory=Manner)
    faults: tuple[Fault, ...] = tuple(Fault)
    seats: int | None = None
    daily_usd: Decimal | None = None
    refused_webhooks: int = 0
    prune_every_s: float = 3600.0
    erase_every_s: float = 3600.0
    retry_s: float = 0.05
    gone: bool = False


class Play:
    """A case while it is played: the first process is under test, and healthy ones follow it."""

    def __init__(self, scenario: Scenario, lane: Lane, injections: Sequence[Sequence[Injection]]) -> None:
        self.scenario = scenario
        self.lane = lane
        self.books = Books(scenario.manner)
        self.world: World = world_of(
            self.books,
            lane.folder,
            seats=scenario.seats,
            daily_usd=scenario.daily_usd,
            refused_webhooks=scenario.refused_webhooks,
            prune_every_s=scenario.prune_every_s,
            erase_every_s=scenario.erase_every_s,
            retry_s=scenario.retry_s,
        )
        self.harness = Process("harness", lane.url, self.world)
        self.ids: list[UUID] = []
        self.removed: set[UUID] = set()
        self.deleted: set[UUID] = set()
        self.fired: list[Injection] = []
        self.was_uncertain = False
        self.wants_cancel = False
        self.problems: list[str] = []
        self.stood_still_s = 0.0
        self._clocks: tuple[asyncio.Task[None], ...] = ()
        self._chain = [tuple(part) for part in injections] or [()]
        self._injectors: list[Injector] = []
        self.processes: list[Process] = []
        self._is_over = False
        self._background: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """An empty database, the harness's own services, and the process under test, which does nothing yet."""
        await self.lane.clean()
        self._clocks = (
            asyncio.create_task(self._watch_the_clock()),
            asyncio.create_task(self._watch_connections_begin()),
        )
        await self.harness.open()
        await self._add()

    async def _watch_the_clock(self) -> None:
        """Notice how long this machine does nothing for us: what renews its lease then is late, and truly lost."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOKED_AT_S)
            await self.lane.fetch("SELECT")
            self._note_late(time.monotonic() - before - LOOKED_AT_S)

    async def _watch_connections_begin(self) -> None:
        """The same of new connections: to begin one takes many turns of both sides, where a question takes two."""
        while True:
            before = time.monotonic()
            with suppress(OSError, TimeoutError, asyncpg.PostgresError):
                await (await asyncpg.connect(self.lane.url)).close()
            self._note_late(time.monotonic() - before - CONNECTS_WITHIN_S)
            await asyncio.sleep(CONNECTED_EVERY_S)

    def _note_late(self, late_s: float) -> None:
        self.stood_still_s = max(self.stood_still_s, late_s)

    @property
    def under_test(self) -> Process:
        """The first one."""
        return self.processes[0]

    @property
    def points(self) -> list[Point]:
        """Every statement of the process under test so far."""
        proxy = self.under_test.proxy
        return list(proxy.points) if proxy else []

    @property
    def struck(self) -> int:
        """How many faults have happened."""
        return sum(len(injector.fired) for injector in self._injectors)

    @property
    def commits(self) -> int:
        """How many statements of the process under test were followed by no open transaction."""
        return len(self._injectors[0].commits)

    async def submit(
        self, model: str, *, deadline_s: float | None = None, source: UUID | None = None, services: bool = True
    ) -> UUID:
        """A task, submitted by the harness itself."""
        task_id = await stage.submit_one(self.harness.services, model, deadline_s=deadline_s, source=source)
        self.ids.append(task_id)
        return task_id

    async def cancel(self) -> None:
        """Cancel every task, as a caller who asks until he is answered."""
        self.wants_cancel = True
        for task_id in self.ids:
            await stage.cancel_one(self.harness.services, task_id)

    async def cancel_through(self, process: Process) -> None:
        """The same through the process under test; another API is asked when it is not there."""
        self.wants_cancel = True
        for task_id in self.ids:
            if not await self.asked(process, lambda one=task_id: stage.cancel_one(process.services, one)):
                await stage.cancel_one(self.harness.services, task_id)

    async def delete_through(self, process: Process) -> None:
        """Delete every task through the process under test, as a caller who asks until he is answered."""
        self.wants_cancel = True
        for task_id in self.ids:
            if not await self.asked(process, lambda one=task_id: stage.delete_one(process.services, one)):
                await stage.delete_one(self.harness.services, task_id)
        self.deleted |= set(self.ids)
        self.removed |= set(self.ids)
        self.ids.clear()

    async def asked(self, process: Process, call: Callable[[], Awaitable[object]]) -> bool:
        """Whether a process has answered a call; it may be gone, or say that it cannot."""
        try:
            async with asyncio.timeout(4):
                await process.call(_as_coroutine(call))
        except (Unavailable, TimeoutError):
            return False
        except GenPulseError:
            raise
        except Exception as error:  # noqa: BLE001 - an API that raises anything else has no answer for its caller
            self.problems.append(f"the API raised {type(error).__name__}")
            return False
        except asyncio.CancelledError:
            if not process.is_dead:
                raise
            return False
        return True

    async def status(self) -> str:
        """Of the first task."""
        rows = await self.lane.fetch("SELECT status FROM tasks WHERE id = $1", self.ids[0])
        return str(rows[0]["status"])

    async def phase(self, name: str, timeout_s: float = 5.0) -> None:
        """Wait until the vendor has seen that, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.books.seen[name].wait()

    def start(self) -> None:
        """Let the process under test be a worker."""
        self._watch(self.under_test)

    async def next(self) -> None:
        """Let one more worker begin."""
        await self._add()
        self._watch(self.processes[-1])

    def next_soon(self) -> None:
        """The same, without waiting for it."""
        if not self._is_over:
            self._soon(self.next())

    def _soon(self, coroutine: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _add(self) -> None:
        number = len(self.processes)
        injections = self._chain[number] if number < len(self._chain) else ()
        injector = None
        if number < len(self._chain):
            injector = Injector(injections, self._struck, self.cancel)
            self._injectors.append(injector)
        process = Process("ABCDEFGH"[number], self.lane.url, self.world, injector)
        if injector is not None:
            injector.process = process
        self.processes.append(process)
        await process.open()

    def _watch(self, process: Process) -> None:
        process.start()
        assert process.work is not None
        process.work.add_done_callback(lambda _: self._ended(process))

    def _ended(self, process: Process) -> None:
        if process.is_dead or process.stop.is_set() or process.work is None or process.work.cancelled():
            return
        self.problems.append(
            f"worker {process.name} died: {stage._words(process.work.exception() or Exception())}"
        )
        self.next_soon()

    async def _struck(self, injection: Injection) -> None:
        self.fired.append(injection)
        if injection.fault.loses_the_lease:
            self._soon(self._look_into_journal())
        self.next_soon()

    async def _look_into_journal(self) -> None:
        await asyncio.sleep(0.05)
        if await self.lane.uncertain(self.ids):
            self.was_uncertain = True

    async def until_ended(self) -> None:
        """Until nothing is left to do, or for too long."""
        hastened = time.monotonic()
        for _ in range(ENDS_WITHIN):
            if (now := time.monotonic()) > hastened + HASTENS_S:
                await self.lane.hasten()
                hastened = now
            if self._background:
                await asyncio.wait(list(self._background), timeout=5)
            if not await self.lane.left() and await self._all_gone():
                return
            await asyncio.sleep(LOOK_S)
        self.problems.append(f"{await self.lane.left()} tasks or messages do not come to their end")

    async def _all_gone(self) -> bool:
        if not self.scenario.gone:
            return True
        rows = await self.lane.fetch("SELECT id FROM tasks WHERE id = ANY($1::uuid[])", list(self.removed))
        return not rows and not await self.lane.old_objects() and not await self.lane.erased_objects()

    async def afterwards(self) -> None:
        """All seats and permits are back: one more task of the same vendor runs at once."""
        if len(self.processes) < 2 or self.processes[-1].is_dead:
            await self.next()
        task_id = await stage.submit_one(self.harness.services, "local")
        for _ in range(AFTERWARDS):
            if (await self.harness.services.store.get(task_id)).status.ended:
                break
            await asyncio.sleep(LOOK_S)
        else:
            self.problems.append("a task afterwards did not run")
        if not await stage.rate_is_back(self.world):
            self.problems.append("the rate is not back")

    async def close(self) -> None:
        """Stop everything."""
        self._is_over = True
        if self._background:
            await asyncio.wait(list(self._background), timeout=5)
        for process in self.processes:
            if wrong := await process.close():
                self.problems.append(wrong)
            for loop, count in process.failed_loops.items():
                self.problems.append(f"the loop {loop!r} of {process.name} failed {count} times")

    async def leave(self) -> None:
        """Close what the verdict was made with, and whatever is left of a case that broke off."""
        self._is_over = True
        for clock in self._clocks:
            clock.cancel()
        await asyncio.gather(*self._clocks, return_exceptions=True)
        for process in self.processes:
            process.kill()
            await process.bury()
        await self.harness.close()
        await self.world.storage.close()


async def _as_coroutine(call: Callable[[], Awaitable[object]]) -> object:
    return await call()


async def submit_through(play: Play, model: str) -> None:
    """Submit through the process under test, with a key, until somebody has answered."""
    key = f"key-{len(play.ids)}"
    process = play.under_test
    for _ in range(4):
        if await play.asked(process, lambda: stage.submit_one(process.services, model, key=key)):
            break
        if process.is_dead:
            break
        await asyncio.sleep(0.2)
    with suppress(GenPulseError):
        play.ids.append(await stage.submit_one(play.harness.services, model, key=key))
