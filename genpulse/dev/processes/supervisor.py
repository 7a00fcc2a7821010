"""Keeps the processes of a stack running, each started when what it needs is ready."""

import asyncio
import collections
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from genpulse.dev.errors import StartFailed
from genpulse.dev.processes.child import Child, Command, Guard

LOOK_EVERY_S = 0.1
ASK_EVERY_S = 0.03
FIRST_PAUSE_S = 0.5
MOST_RESTARTS = 3
WITHIN_S = 60.0
STACK = "stack"

Hear = Callable[[str, str], None]


@dataclass(slots=True)
class Service:
    """A part of the stack. `is_ready`: others may count on it. `patience_s`: how long stopping it may take.

    Without `is_ready` it is ready as soon as it has announced itself. The stack comes up and goes on without one
    that is not `needed`.
    """

    command: Command
    is_ready: Callable[[], Awaitable[bool]] | None = None
    start_s: float = 30.0
    patience_s: float = 3.0
    needed: bool = True
    child: Child | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    ends: "collections.deque[float]" = field(default_factory=collections.deque)

    @property
    def name(self) -> str:
        """What the log calls it."""
        return self.command.name

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, or when it is not meant to."""
        return self.child.exit_code if self.child else None

    async def may_be_counted_on(self) -> bool:
        """Whether it is ready."""
        if self.is_ready is not None:
            return await self.is_ready()
        return self.child is not None and self.child.has_announced

    def ends_of_late(self, now: float) -> int:
        """Take notice of an end, and say how many there were within the last minute."""
        self.ends.append(now)
        while now - self.ends[0] > WITHIN_S:
            self.ends.popleft()
        return len(self.ends)


class Supervisor:
    """Starts services, starts those again that end by themselves, and stops all of them."""

    def __init__(self, guard: Guard, hear: Hear, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._guard = guard
        self._hear = hear
        self._first_pause_s = first_pause_s
        self._services: list[Service] = []

    async def start(self, *services: Service) -> None:
        """Start these together and return when all are ready. Raises `StartFailed` as soon as one cannot be."""
        self._services += services
        starting = [asyncio.create_task(self._bring_up(service)) for service in services]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    def add(self, service: Service) -> None:
        """Add an optional service: it is started with the stack, which does not wait for it."""
        self._services.append(service)

    async def _bring_up(self, service: Service) -> None:
        """Start it and return when it is ready; it is ended when it cannot be. Raises `StartFailed`."""
        service.child = child = Child(service.command, self._guard, self._hear)
        deadline = time.monotonic() + service.start_s
        while True:
            ready = await service.may_be_counted_on()
            if child.exit_code is not None:
                await asyncio.to_thread(child.reap)
                raise _ended(service.name, child)
            if ready:
                return
            if time.monotonic() > deadline:
                await asyncio.to_thread(child.stop, service.patience_s)
                why = f"it was not ready after {service.start_s:g} s"
                raise StartFailed(service.name, why, child.last_lines)
            await asyncio.sleep(ASK_EVERY_S)

    async def run_once(self, command: Command) -> None:
        """Run something to its end. Raises `StartFailed` when that is not a good one."""
        child = Child(command, self._guard, self._hear)
        reaping = asyncio.create_task(asyncio.to_thread(child.reap))
        try:
            await asyncio.shield(reaping)
        finally:
            child.signal(signal.SIGKILL)
            await asyncio.shield(reaping)
        if child.exit_code != 0:
            raise _ended(command.name, child)

    async def watch_over(self) -> int:
        """Start again what ends by itself, until one that is needed ends too often.

        Returns its exit code, never 0.
        """
        extras = [asyncio.create_task(self._keep_extra(one)) for one in self._services if not one.needed]
        keepers = [asyncio.create_task(self._keep(one)) for one in self._services if one.needed]
        try:
            done, _ = await asyncio.wait(keepers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for keeper in (*keepers, *extras):
                keeper.cancel()
            await asyncio.gather(*keepers, *extras, return_exceptions=True)
        return done.pop().result()

    async def _keep_extra(self, service: Service) -> None:
        try:
            async with service.turn:
                await self._bring_up(service)
            self._hear(STACK, f"{service.name} is ready")
        except StartFailed as error:
            self._hear(STACK, str(error))
        await self._keep(service)
        self._hear(STACK, f"the stack goes on without {service.name}")

    async def _keep(self, service: Service) -> int:
        while True:
            async with service.turn:
                code = service.exit_code
                if code is not None and not await self._begin_again(service, code):
                    return code or 1
            await asyncio.sleep(LOOK_EVERY_S)

    async def _begin_again(self, service: Service, code: int) -> bool:
        """False when it has ended too often."""
        if service.child is not None:
            await asyncio.to_thread(service.child.reap)
        ends = service.ends_of_late(time.monotonic())
        if ends > MOST_RESTARTS:
            self._hear(STACK, f"{service.name} ended {ends} times within a minute; giving up")
            return False
        pause_s = self._first_pause_s * 2 ** (ends - 1)
        self._hear(STACK, f"{service.name} ended with exit code {code}; starting it again in {pause_s:g} s")
        await asyncio.sleep(pause_s)
        try:
            await self._bring_up(service)
        except StartFailed as error:
            self._hear(STACK, str(error))
        return True

    async def restart(self, names: Sequence[str]) -> None:
        """Stop these and start them again, all together. One that cannot start waits for the next time."""
        await asyncio.gather(*(self._restart(service) for service in self._services if service.name in names))

    async def _restart(self, service: Service) -> None:
        async with service.turn:
            await self._stop(service)
            service.ends.clear()
            try:
                await self._bring_up(service)
            except StartFailed as error:
                self._hear(STACK, f"{error}\nWaiting for the next change.")
                service.child = None

    async def _stop(self, service: Service) -> None:
        if service.child is not None:
            await asyncio.to_thread(service.child.stop, service.patience_s)

    async def stop(self, *waves: Sequence[str]) -> None:
        """Stop everything: those of the first wave together, then the next."""
        for wave in waves:
            await asyncio.gather(*(self._stop(service) for service in self._services if service.name in wave))


def _ended(name: str, child: Child) -> StartFailed:
    why = f"it ended with exit code {child.exit_code}"
    return StartFailed(name, why, child.last_lines, exit_code=child.exit_code)
