"""A worker from its start to its orderly end."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from genpulse.ports import Services
from genpulse.worker.duties import (
    be_present,
    deliver_messages,
    hear_cancellations,
    hear_changes,
    prune_the_old,
    renew_leases,
    tidy_up,
)
from genpulse.worker.loop import WorkLoop
from genpulse.worker.options import WorkerOptions

_log = logging.getLogger(__name__)


async def run(services: Services, options: WorkerOptions) -> None:
    """Work until SIGTERM or SIGINT, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_until(stop, services, options)


async def run_until(stop: asyncio.Event, services: Services, options: WorkerOptions) -> None:
    """Work until `stop` is set: then no new work, running work gets its grace, the rest goes back."""
    name = f"{socket.gethostname()}:{os.getpid()}:{services.new_id().hex[-6:]}"
    loop = WorkLoop(services, options, name)
    duties = (
        renew_leases(services, loop, options),
        hear_cancellations(services, loop),
        hear_changes(services, loop),
        be_present(services, loop, options, name),
        deliver_messages(services, options),
        tidy_up(services),
        prune_the_old(services, options),
    )
    async with _beside(*duties):
        _log.info("worker ready: %d tasks at once from %s", options.concurrency, ", ".join(loop.providers))
        await loop.claim_until(stop)
        _log.info("worker stops: %d tasks are running", len(loop.held))
        await loop.drain()
    _log.info("worker stopped")


@asynccontextmanager
async def _beside(*duties: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the duties while the body runs; a duty that fails ends the body with its error."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(duty) for duty in duties]
        yield
        for task in tasks:
            task.cancel()
