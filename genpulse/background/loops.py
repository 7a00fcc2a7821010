"""Loops that run for as long as their process does, whatever happens in them."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

from genpulse.background.outages import Outages

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0
FAILING_S = 60.0
"""How long a loop counts as failing after it has failed, in seconds."""

_log = logging.getLogger(__name__)


class Loops:
    """The background loops of one process: each goes on after whatever it raised, and is seen to have failed.

    `outages` says what they wait for. `clock` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.outages = Outages(clock)
        self._failures: Counter[str] = Counter()
        self._failed_at: dict[str, float] = {}
        self._soon_over: dict[str, float] = {}

    async def forever(
        self,
        name: str,
        turn: Callable[[], Awaitable[object]],
        *,
        pause_s: float = 0.0,
        away: tuple[type[Exception], ...] = (),
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> NoReturn:
        """Take one turn after the other, `pause_s` seconds apart, until this task is canceled.

        A turn that raises is told in the log with its trace and counted; the next one follows after a pause that
        grows from 0.2 to `longest_pause_s` seconds while they fail. What is in `away` says that a service does not
        answer: that is told as an outage and not counted.
        """
        in_a_row = 0
        while True:
            try:
                await self._taken(name, turn)
                self.outages.end(name)
                in_a_row = 0
                await asyncio.sleep(pause_s)
                continue
            except away as error:
                self.outages.report(name, error)
            except Exception:  # noqa: BLE001 - whatever it is, the loop goes on and says so
                self.failed(name)
            in_a_row += 1
            await asyncio.sleep(min(FIRST_PAUSE_S * 2.0 ** min(in_a_row - 1, 30), longest_pause_s))

    async def _taken(self, name: str, turn: Callable[[], Awaitable[object]]) -> None:
        """One turn, in a task of its own. Raises what it raises.

        What a turn cleans up when it is cancelled may fail, and that error takes the place of the cancellation,
        which asyncio does not repeat. The loop's own task runs nobody's code, and so loses none. To believe what
        `cancelling()` counts would not do: `TaskGroup` of Python 3.11 and 3.12 leaves it at 1 where a child fails.
        """
        taking, is_cancelled = asyncio.ensure_future(turn()), False
        while not taking.done():
            try:
                await asyncio.wait({taking})
            except asyncio.CancelledError:
                is_cancelled = True
                taking.cancel()
        if is_cancelled:
            if not taking.cancelled() and (error := taking.exception()) is not None:
                _log.info("%s raised on its way out: %r", name, error)
            raise asyncio.CancelledError
        if taking.cancelled():
            raise RuntimeError("it ended as cancelled, and nobody had cancelled it")
        taking.result()

    def failed(self, name: str) -> None:
        """Count the exception that is being handled as a failure of this loop, and log its trace."""
        self._failures[name] += 1
        self._failed_at[name] = self._clock()
        _log.exception("%s failed and goes on", name)

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each loop has failed since the process began; those that never did are not in it."""
        return dict(self._failures)

    @property
    def failing(self) -> tuple[str, ...]:
        """Loops that have failed within the last minute, sorted."""
        since = self._clock() - FAILING_S
        return tuple(sorted(name for name, at in self._failed_at.items() if at >= since))

    @contextmanager
    def soon_over(self, name: str) -> Iterator[None]:
        """Keep in mind since when the body runs, which has to end soon, well or not. One of a name at a time."""
        self._soon_over[name] = self._clock()
        try:
            yield
        finally:
            self._soon_over.pop(name, None)

    def stuck(self, longest_s: float) -> Mapping[str, float]:
        """By its name for how many seconds each body of `soon_over` runs that has run for longer than that."""
        now = self._clock()
        ages = {name: now - since for name, since in self._soon_over.items()}
        return {name: age for name, age in ages.items() if age > longest_s}
