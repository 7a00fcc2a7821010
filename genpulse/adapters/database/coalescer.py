"""Batching of concurrent writes into one multi-row statement."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

from genpulse.background.shared_task import shared_task
from genpulse.domain.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")


class Coalescer(Generic[T, R]):
    """Collects items while an earlier batch is on its way, then hands them over as the next batch.

    An item whose caller is cancelled before its batch begins is left out, as if it had not been asked for.
    `act` returns a result or an exception for each item, in order. What it raises may be the fault of one item:
    then each is tried by itself; a service that is away is away for all of them. `largest` bounds a batch,
    `flights` how many are on their way at once.
    """

    def __init__(
        self,
        act: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        *,
        largest: int = 200,
        flights: int = 1,
    ) -> None:
        self._act = act
        self._largest = largest
        self._flights = flights
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._flying: set[asyncio.Task[None]] = set()

    async def __call__(self, item: T) -> R:
        """The item's own result, once its batch is done."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._flying) < self._flights:
            self._flying.add(shared_task(self._fly()))
        return await future

    async def _fly(self) -> None:
        try:
            await self._until_nobody_waits()
        finally:
            # At once and not by a callback: who is answered may call again before a callback runs.
            self._flying.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _until_nobody_waits(self) -> None:
        while batch := self._next_batch():
            results = await self._results([item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _next_batch(self) -> Sequence[tuple[T, asyncio.Future[R]]]:
        """Without those whose callers have given up: an order that nobody makes any more is not noted."""
        waiting = [entry for entry in self._waiting if not entry[1].done()]
        self._waiting = waiting[self._largest :]
        return waiting[: self._largest]

    async def _results(self, items: Sequence[T]) -> Sequence[R | Exception]:
        try:
            results = await self._act(items)
        except Unavailable as error:
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 - handed on to the caller whose item it is, who raises it
            if len(items) == 1:
                return [error]
            return [result for item in items for result in await self._results([item])]
        if len(results) != len(items):
            return [AssertionError(f"{len(items)} items were handed over, {len(results)} came back")] * len(items)
        return results

    async def close(self) -> None:
        """Wait for what is on its way."""
        if self._flying:
            await asyncio.wait(self._flying)
