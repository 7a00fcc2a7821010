"""A place in which one process after the other runs: whatever ends in it is started again."""

import asyncio
import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

HEEDS_S = 45.0
"""An orderly stop may take so long; then it is counted as not heeded, and ended."""
_LOOK_S = 0.05


@dataclass
class Slot:
    """`start` makes its next process, `gone` is told of one that has ended.

    `hurt` is what was done to each, by pid; `died` how some ended by themselves; `unheeded` counts orderly stops
    that were not heeded. Hold `lock` while something is done to it.
    """

    name: str
    start: Callable[[], "subprocess.Popen[bytes]"]
    gone: Callable[[int], None]
    hurt: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    died: list[str] = field(default_factory=list)
    unheeded: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.process = self.start()

    @property
    def pid(self) -> int:
        """Of the process that runs in it now."""
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it, and note it."""
        self.hurt[self.pid].append(number.name)
        self.process.send_signal(number)

    async def end(self, number: signal.Signals, away_s: float = 0.0) -> None:
        """End the process and start the next one `away_s` seconds later."""
        self.send(number)
        await self._ended()
        await asyncio.sleep(away_s)
        self.process = self.start()

    async def _ended(self) -> None:
        deadline = time.monotonic() + HEEDS_S
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.unheeded += 1
                self.process.kill()
                deadline += HEEDS_S
            await asyncio.sleep(_LOOK_S)
        self.gone(self.pid)

    async def freeze(self, for_s: float) -> None:
        """Stop the process and let it go on."""
        process = self.process
        self.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(for_s)
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)

    async def keep(self) -> None:
        """Start it again when it has ended by itself, as any orchestrator does, and note that it had."""
        while True:
            await asyncio.sleep(0.3)
            if self.lock.locked() or self.process.poll() is None:
                continue
            self.gone(self.pid)
            self.died.append(f"{self.name} ended by itself with {self.process.returncode}")
            self.process = self.start()
