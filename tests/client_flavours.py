"""The sync client behind the calls of the async one, so that one test holds both."""

import asyncio
import inspect
from collections.abc import Generator
from typing import Any

from genpulse_client import AsyncGenPulse, GenPulse

_OVER = object()


class AwaitedGenPulse:
    """Each call of a sync client runs in a thread, and is awaited."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sync = GenPulse(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.sync, name)
        if inspect.unwrap(method).__name__ in {"watch", "list", "read", "batches", "watch_batch"}:
            return lambda *arguments, **options: _iterated(method(*arguments, **options))

        async def call(*arguments: Any, **options: Any) -> Any:
            return await asyncio.to_thread(method, *arguments, **options)

        return call

    async def __aenter__(self) -> "AwaitedGenPulse":
        self.sync.__enter__()
        return self

    async def __aexit__(self, *why: Any) -> None:
        self.sync.__exit__(*why)

    async def aclose(self) -> None:
        self.sync.close()


async def _iterated(generator: Generator[Any, None, None]) -> Any:
    try:
        while (one := await asyncio.to_thread(next, generator, _OVER)) is not _OVER:
            yield one
    finally:
        generator.close()


FLAVOURS = {"sync": AwaitedGenPulse, "async": AsyncGenPulse}
