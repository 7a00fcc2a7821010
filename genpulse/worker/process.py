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
    WorkerContext,
    deliver_webhooks,
    erase_deleted_rows,
    listen,
    move_on_routes,
    prune_old_rows,
    renew,
    renew_leases,
    send_heartbeats,
    stop_unwanted_orders,
    sum_usage,
    sweep_tasks,
    take_over_lost,
    warn_of_used_budgets,
)
from genpulse.worker.claiming import Claimer
from genpulse.worker.options import WorkerOptions
from genpulse.worker.sign_of_life import show_life

FIRST_AGAIN_S = 1.0
BACKGROUND_JOBS = (
    renew_leases,
    take_over_lost,
    listen,
    send_heartbeats,
    deliver_webhooks,
    sweep_tasks,
    sum_usage,
    warn_of_used_budgets,
    stop_unwanted_orders,
    move_on_routes,
    prune_old_rows,
    erase_deleted_rows,
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
    claimer = Claimer(services, options, worker, loops)
    context = WorkerContext(services, options, worker, claimer, loops)
    async with _beside(show_life(loops, options.health_file, options.stuck_s)):
        await _work(context, stop)
    await _leave(context)
    _log.info("worker stopped")


async def _work(context: WorkerContext, stop: asyncio.Event) -> None:
    options, claimer = context.options, context.claimer
    await _first_renewal(context, stop)
    try:
        async with _beside(*(job(context) for job in BACKGROUND_JOBS)):
            _log.info("worker ready: %d tasks at once from %s", options.concurrency, ", ".join(claimer.providers))
            try:
                await claimer.claim_until(stop)
                _log.info("worker stops: %d tasks are running", len(claimer.running))
                await claimer.running.drain(grace_s=options.grace_s, stop_s=options.stop_s)
            except BaseException:
                claimer.running.give_up()
                raise
    finally:
        await claimer.running.abandon()


async def _first_renewal(context: WorkerContext, stop: asyncio.Event) -> None:
    """Nothing can be claimed before the worker is known."""
    part = "the begin of the worker"
    while not stop.is_set():
        try:
            await renew(context)
        except Unavailable as error:
            context.loops.outages.report(part, error)
            await _pause(stop)
        except Exception:  # noqa: BLE001 - what keeps it from beginning may pass
            context.loops.failed(part)
            await _pause(stop)
        else:
            context.loops.outages.end(part)
            return


async def _pause(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_AGAIN_S):
            await stop.wait()


async def _leave(context: WorkerContext) -> None:
    try:
        await context.services.store.leave(context.worker)
    except Unavailable as error:
        _log.warning("this worker cannot say that it goes: %s", error)


@asynccontextmanager
async def _beside(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the jobs while the body runs."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
