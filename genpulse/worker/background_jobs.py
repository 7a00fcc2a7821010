"""Background jobs of a worker: heartbeat, lease renewal, cancellation, sweeping, pruning, erasing, webhooks."""

import logging
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from genpulse.background.loops import Loops
from genpulse.domain.attempt import Worker
from genpulse.domain.errors import Unavailable
from genpulse.lifecycle.abandoned_orders import stop_unwanted
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.lifecycle.erase import erase
from genpulse.lifecycle.prune import prune
from genpulse.lifecycle.sweep import sweep
from genpulse.lifecycle.webhooks.delivery import WebhookDeliverer
from genpulse.ports import Services, WorkerPresence
from genpulse.worker.loop import WorkLoop
from genpulse.worker.options import WorkerOptions

PRESENCE_S = 5.0
SWEEP_S = 30.0
PRUNE_AWAY_PAUSE_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the duties of one worker work with."""

    services: Services
    options: WorkerOptions
    worker: Worker
    loop: WorkLoop
    loops: Loops

    async def every(
        self, period_s: float, what: str, duty: Callable[[], Awaitable[object]], *, longest_pause_s: float = 1.0
    ) -> None:
        """Do it now and then every `period_s` seconds, whatever it raises."""
        await self.loops.forever(
            what, duty, pause_s=period_s, away=(Unavailable,), longest_pause_s=min(longest_pause_s, period_s)
        )


async def renew(desk: Desk) -> None:
    """Keep what runs here, and stop what was taken over or is not wanted. Raises `DatabaseUnavailable`."""
    before = desk.loop.attempt_ids
    held = await desk.services.store.renew(desk.worker, desk.services.now())
    await desk.loop.compare(held, before)


async def renew_leases(desk: Desk) -> None:
    """Be known as alive, three times a lease."""
    await desk.every(desk.options.lease_s / 3, "the renewal of leases", lambda: renew(desk))


async def take_over_lost(desk: Desk) -> None:
    """Go on with what others have left."""
    await desk.every(desk.options.lease_s / 3, "taking over from lost workers", desk.loop.take_over)


async def hear_notices(desk: Desk) -> None:
    """Stop tasks as soon as somebody cancels them, and ask providers as soon as they have news."""

    async def hear() -> None:
        async for notice in desk.services.queue.notices(desk.worker):
            if notice.unwanted:
                desk.loop.interrupt(Interruption.CANCELED, notice.task_id)
            else:
                desk.loop.hear_change(notice.task_id)

    await desk.every(0, "hearing of running tasks", hear)


async def be_present(desk: Desk) -> None:
    """Be seen by `genpulse doctor` and by those who wonder why nothing runs."""

    async def beat() -> None:
        worker = WorkerPresence(
            name=desk.worker.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            concurrency=desk.options.concurrency,
            running=desk.loop.running,
            providers=desk.loop.providers,
            failing=desk.loops.failing,
        )
        await desk.services.presence.beat(worker, ttl_s=PRESENCE_S * 3)

    await desk.every(PRESENCE_S, "the presence of this worker", beat)


async def deliver_messages(desk: Desk) -> None:
    """Send webhooks as they become due. When canceled, those that are being sent get a few seconds."""
    postman = WebhookDeliverer(desk.services, desk.options.describe, desk.loops)
    try:
        await postman.run()
    finally:
        await postman.stop()


async def tidy_up(desk: Desk) -> None:
    """End what can no longer succeed and forget what is old."""
    await desk.every(SWEEP_S, "the sweep", lambda: sweep(desk.services))


async def stop_the_unwanted(desk: Desk) -> None:
    """Tell vendors once more to stop what nobody wants any more."""
    await desk.every(
        SWEEP_S, "stopping unwanted orders", lambda: stop_unwanted(desk.services, desk.loop.providers)
    )


async def prune_the_old(desk: Desk) -> None:
    """Remove what is older than the policy keeps it, unless another process does."""

    async def look() -> None:
        pruned = await prune(desk.services, desk.services.retention_policy)
        if pruned is not None and not pruned.is_nothing:
            _log.info("removed because of its age: %s", pruned)

    await desk.every(
        desk.options.prune_every_s, "the removal of what is old", look, longest_pause_s=PRUNE_AWAY_PAUSE_S
    )


async def erase_the_deleted(desk: Desk) -> None:
    """Remove what somebody has deleted, and what is past its own retention."""

    async def look() -> None:
        erased = await erase(desk.services, settled_s=desk.options.erase_after_s)
        if not erased.is_nothing:
            _log.info("removed because it was deleted: %s", erased)

    await desk.every(desk.options.erase_every_s, "the removal of what was deleted", look)
