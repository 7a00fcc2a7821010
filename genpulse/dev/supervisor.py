"""Keeps the processes of a stack running, each started when what it needs is ready."""

import asyncio
import collections
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from genpulse.dev.child import Child, Command, Guard
from genpulse.dev.errors import StartFailed

LOOK_EVERY_S = 0.1
MOST_RESTARTS = 3
WITHIN_S = 60.0
STACK = "stack"

Hear = Callable[[str, str], None]


@dataclass(slots=True)
class Service:
    """A part of the stack. `is_ready`: others may count on it. `patience_s`: how long stopping it may take."""

    command: Command
    is_ready: Callable[[], Awaitable[bool]]
    start_s: float = 30.0
    patience_s: float = 3.0
    child: Child | None = None
    ended_at: "collections.deque[float]" = field(
        default_factory=lambda: collections.deque(maxlen=MOST_RESTARTS + 1)
    )

    @property
    def name(self) -> str:
        """What the log calls it."""
        return self.command.name

    def ended_too_often(self, now: float) -> bool:
        """Take notice of an end, and say whether there were too many of late."""
        self.ended_at.append(now)
        return len(self.ended_at) > MOST_RESTARTS and now - self.ended_at[0] < WITHIN_S


class Supervisor:
    """Starts services, starts those again that end by themselves, and stops all of them."""

    def __init__(self, guard: Guard, hear: Hear) -> None:
        self._guard = guard
        self._hear = hear
        self._services: list[Service] = []
        self._busy: set[str] = set()

    async def start(self, service: Service) -> None:
        """Start it and return when it is ready. Raises `StartFailed`."""
        self._services.append(service)
        await self._start(service)

    async def _start(self, service: Service) -> None:
        service.child = child = Child(service.command, self._guard, self._hear)
        deadline = time.monotonic() + service.start_s
        while not await service.is_ready():
            if child.exit_code is not None:
                child.reap()
                raise StartFailed(service.name, f"it ended with exit code {child.exit_code}", child.last_lines)
            if time.monotonic() > deadline:
                raise StartFailed(service.name, f"it was not ready after {service.start_s:g} s", child.last_lines)
            await asyncio.sleep(0.03)

    async def run_once(self, command: Command) -> None:
        """Run something to its end. Raises `StartFailed` when that is not a good one."""
        child = Child(command, self._guard, self._hear)
        await asyncio.to_thread(child.reap)
        if child.exit_code != 0:
            raise StartFailed(command.name, f"it ended with exit code {child.exit_code}", child.last_lines)

    async def watch_over(self) -> int:
        """Start again what ends by itself, until one of them ends too often; returns its exit code."""
        while True:
            for service in self._services:
                code = service.child.exit_code if service.child and service.name not in self._busy else None
                if code is not None and not await self._begin_again(service, code):
                    return code or 1
            await asyncio.sleep(LOOK_EVERY_S)

    async def _begin_again(self, service: Service, code: int) -> bool:
        """False when it has ended too often."""
        if service.child is not None:
            service.child.reap()
        if service.ended_too_often(time.monotonic()):
            self._hear(STACK, f"{service.name} ended {len(service.ended_at)} times within a minute; giving up")
            return False
        pause_s = 0.25 * 2 ** (len(service.ended_at) - 1)
        self._hear(STACK, f"{service.name} ended with exit code {code}; starting it again in {pause_s:g} s")
        await asyncio.sleep(pause_s)
        try:
            await self._start(service)
        except StartFailed as error:
            self._hear(STACK, str(error))
        return True

    async def restart(self, names: Sequence[str]) -> None:
        """Stop these in order and start them again."""
        for service in [service for service in self._services if service.name in names]:
            self._busy.add(service.name)
            try:
                await self._stop(service)
                await self._start(service)
            except StartFailed as error:
                self._hear(STACK, f"{error}\nWaiting for the next change.")
                await self._stop(service)
                service.child = None
            finally:
                self._busy.discard(service.name)

    async def _stop(self, service: Service) -> None:
        if service.child is not None:
            await asyncio.to_thread(service.child.stop, service.patience_s)

    async def stop(self, *waves: Sequence[str]) -> None:
        """Stop everything: those of the first wave together, then the next."""
        for wave in waves:
            await asyncio.gather(*(self._stop(service) for service in self._services if service.name in wave))

    def kill(self) -> None:
        """End everything now."""
        for service in self._services:
            if service.child is not None:
                service.child.signal(signal.SIGKILL)
