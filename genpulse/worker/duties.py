"""What a worker does beside its tasks: be seen, renew its leases, hear of cancellations, tidy up."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable

from genpulse.background.loops import Loops
from genpulse.domain.errors import Unavailable
from genpulse.lifecycle.deliver import Postman
from genpulse.lifecycle.interruption import Interruption
from genpulse.lifecycle.prune import prune
from genpulse.lifecycle.sweep import sweep
from genpulse.ports import Services, WorkerPresence
from genpulse.worker.loop import WorkLoop
from genpulse.worker.options import WorkerOptions

PRESENCE_S = 5.0
SWEEP_S = 30.0
AWAY_PAUSE_S = 1.0
PRUNE_AWAY_PAUSE_S = 60.0

_log = logging.getLogger(__name__)


async def every(
    period_s: float, what: str, duty: Callable[[], Awaitable[object]], *, away_pause_s: float = AWAY_PAUSE_S
) -> None:
    """Do it now and then every `period_s` seconds; after `away_pause_s` again while a service is away."""
    while True:
        pause_s = period_s
        try:
            await duty()
        except Unavailable as error:
            _log.warning("%s has to wait: %s", what, error)
            pause_s = min(away_pause_s, period_s)
        await asyncio.sleep(pause_s)


async def renew_leases(services: Services, loop: WorkLoop, options: WorkerOptions) -> None:
    """Keep what runs here, and stop what somebody canceled while nobody listened."""

    async def renew() -> None:
        held = loop.held
        if not held:
            return
        await services.queue.renew([claim.ticket for claim in held])
        canceled = await services.store.cancel_requested([claim.task_id for claim in held])
        loop.interrupt(Interruption.CANCELED, only=frozenset(canceled))

    await every(options.lease_s / 3, "the renewal of leases", renew)


async def hear_cancellations(services: Services, loop: WorkLoop) -> None:
    """Stop tasks as soon as somebody cancels them."""
    async for task_id in services.queue.cancellations():
        loop.interrupt(Interruption.CANCELED, only=frozenset({task_id}))


async def hear_changes(services: Services, loop: WorkLoop) -> None:
    """Ask providers again as soon as they tell that something has happened."""
    async for task_id in services.queue.changes():
        loop.hear_change(task_id)


async def be_present(services: Services, loop: WorkLoop, options: WorkerOptions, name: str) -> None:
    """Be seen by `genpulse doctor` and by those who wonder why nothing runs."""

    async def beat() -> None:
        worker = WorkerPresence(
            name=name,
            host=socket.gethostname(),
            pid=os.getpid(),
            concurrency=options.concurrency,
            running=len(loop.held),
            providers=loop.providers,
        )
        await services.presence.beat(worker, ttl_s=PRESENCE_S * 3)

    await every(PRESENCE_S, "the presence of this worker", beat)


async def deliver_messages(services: Services, options: WorkerOptions, loops: Loops | None = None) -> None:
    """Send webhooks as they become due. When canceled, those that are being sent get a few seconds."""
    postman = Postman(services, options.describe, loops or Loops())
    try:
        await postman.run()
    finally:
        await postman.stop()


async def tidy_up(services: Services) -> None:
    """End what can no longer succeed and forget what is old."""
    await every(SWEEP_S, "the sweep", lambda: sweep(services))


async def prune_the_old(services: Services, options: WorkerOptions) -> None:
    """Remove what is older than the policy keeps it, unless another process does."""

    async def look() -> None:
        pruned = await prune(services, services.retention_policy)
        if pruned is not None and not pruned.is_nothing:
            _log.info("removed because of its age: %s", pruned)

    await every(options.prune_every_s, "the removal of what is old", look, away_pause_s=PRUNE_AWAY_PAUSE_S)
