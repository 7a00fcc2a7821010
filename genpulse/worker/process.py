"""A worker from its start to its orderly end."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from genpulse.domain.attempt import Worker
from genpulse.domain.errors import Unavailable
from genpulse.domain.text.storable import storable_line
from genpulse.ports import Services
from genpulse.worker.background_jobs import (
    Desk,
    be_present,
    deliver_messages,
    erase_the_deleted,
    hear_notices,
    prune_the_old,
    renew,
    renew_leases,
    stop_the_unwanted,
    take_over_lost,
    tidy_up,
)
from genpulse.worker.loop import WorkLoop
from genpulse.worker.options import WorkerOptions

FIRST_AGAIN_S = 1.0
DUTIES = (
    renew_leases,
    take_over_lost,
    hear_notices,
    be_present,
    deliver_messages,
    tidy_up,
    stop_the_unwanted,
    prune_the_old,
    erase_the_deleted,
)

_log = logging.getLogger(__name__)


async def run(services: Services, options: WorkerOptions) -> None:
    """Work until SIGTERM or SIGINT, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_until(stop, services, options)


async def run_until(stop: asyncio.Event, services: Services, options: WorkerOptions) -> None:
    """Work until `stop` is set: then no new work, running work gets what it needs, the rest goes back."""
    worker_id = services.new_id()
    name = storable_line(f"{socket.gethostname()}:{os.getpid()}:{worker_id.hex[-6:]}")
    worker, loops = Worker(worker_id, name, options.lease_s), services.loops
    loop = WorkLoop(services, options, worker, loops)
    desk = Desk(services, options, worker, loop, loops)
    await _first_renewal(desk, stop)
    try:
        async with _beside(*(duty(desk) for duty in DUTIES)):
            _log.info("worker ready: %d tasks at once from %s", options.concurrency, ", ".join(loop.providers))
            await loop.claim_until(stop)
            _log.info("worker stops: %d tasks are running", loop.running)
            await loop.drain()
    finally:
        await loop.abandon()
    await _leave(desk)
    _log.info("worker stopped")


async def _first_renewal(desk: Desk, stop: asyncio.Event) -> None:
    """Nothing can be claimed before the worker is known."""
    part = "the begin of the worker"
    while not stop.is_set():
        try:
            await renew(desk)
        except Unavailable as error:
            desk.loops.outages.notice(part, error)
            await _until(stop)
        except Exception:  # noqa: BLE001 - what keeps it from beginning may pass
            desk.loops.failed(part)
            await _until(stop)
        else:
            desk.loops.outages.end(part)
            return


async def _until(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_AGAIN_S):
            await stop.wait()


async def _leave(desk: Desk) -> None:
    try:
        await desk.services.store.leave(desk.worker)
    except Unavailable as error:
        _log.warning("this worker cannot say that it goes: %s", error)


@asynccontextmanager
async def _beside(*duties: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the duties while the body runs."""
    tasks = [asyncio.create_task(duty) for duty in duties]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
