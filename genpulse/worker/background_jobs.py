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
from genpulse.lifecycle.budgets.warnings import warn_of_budgets
from genpulse.lifecycle.removal.erase import erase
from genpulse.lifecycle.removal.prune import prune
from genpulse.lifecycle.routing.reroute import reroute
from genpulse.lifecycle.sweep import sweep
from genpulse.lifecycle.webhooks.delivery import WebhookDeliverer
from genpulse.ports import Services, WorkerPresence
from genpulse.worker.claiming import Claimer
from genpulse.worker.options import WorkerOptions

PRESENCE_S = 5.0
SWEEP_S = 30.0
SUM_S = 10.0
PRUNE_AWAY_PAUSE_S = 60.0
REROUTE_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """Everything that the background jobs of one worker use."""

    services: Services
    options: WorkerOptions
    worker: Worker
    claimer: Claimer
    loops: Loops

    async def every(
        self, period_s: float, name: str, turn: Callable[[], Awaitable[object]], *, longest_pause_s: float = 1.0
    ) -> None:
        """Take a turn now and then every `period_s` seconds, whatever it raises."""
        await self.loops.forever(
            name, turn, pause_s=period_s, away=(Unavailable,), longest_pause_s=min(longest_pause_s, period_s)
        )


async def renew(context: WorkerContext) -> None:
    """Renew the worker's leases, and stop what was taken over or canceled. Raises `DatabaseUnavailable`."""
    ran_before = context.claimer.running.ids
    held = await context.services.store.renew(context.worker, context.services.now())
    await context.claimer.reconcile(held, ran_before)


async def renew_leases(context: WorkerContext) -> None:
    """Renew the leases of this worker, three times a lease; after one that failed, within an eighth of a lease."""
    name, lease_s = "the renewal of leases", context.options.lease_s

    async def turn() -> None:
        with context.loops.soon_over(name):
            await renew(context)

    await context.every(lease_s / 3, name, turn, longest_pause_s=min(1.0, lease_s / 8))


async def take_over_lost(context: WorkerContext) -> None:
    """Go on with the tasks of lost workers."""
    name = "taking over from lost workers"

    async def turn() -> None:
        with context.loops.soon_over(name):
            await context.claimer.take_over()

    await context.every(context.options.lease_s / 3, name, turn)


async def listen(context: WorkerContext) -> None:
    """Stop tasks as soon as somebody cancels them, and poll vendors as soon as they send a callback."""
    running = context.claimer.running

    async def follow() -> None:
        async for notification in context.services.queue.notifications(context.worker):
            if notification.unwanted:
                running.interrupt_task(notification.task_id, Interruption.CANCELED)
            else:
                running.poll_now(notification.task_id)

    await context.every(0, "hearing of running tasks", follow)


async def send_heartbeats(context: WorkerContext) -> None:
    """Show `genpulse doctor`, and those who wonder why nothing runs, that this worker is alive."""

    async def beat() -> None:
        worker = WorkerPresence(
            name=context.worker.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            concurrency=context.options.concurrency,
            running=len(context.claimer.running),
            providers=context.claimer.providers,
            failing=context.loops.failing,
        )
        await context.services.presence.beat(worker, ttl_s=PRESENCE_S * 3)

    await context.every(PRESENCE_S, "the presence of this worker", beat)


async def deliver_webhooks(context: WorkerContext) -> None:
    """Send webhooks as they become due. When canceled, those that are being sent get a few seconds."""
    options = context.options
    deliverer = WebhookDeliverer(context.services, options.describe, context.loops, forms=options.webhook_forms)
    try:
        await deliverer.run()
    finally:
        await deliverer.stop()


async def sweep_tasks(context: WorkerContext) -> None:
    """End overdue tasks, promote those that wait for long, and forget workers that are gone."""
    await context.every(SWEEP_S, "the sweep", lambda: sweep(context.services))


async def move_on_routes(context: WorkerContext) -> None:
    """Let tasks that wait for a provider which does not work go on at the next model of their routes."""
    providers = context.claimer.providers
    await context.every(REROUTE_S, "moving tasks on routes", lambda: reroute(context.services, providers))


async def warn_of_used_budgets(context: WorkerContext) -> None:
    """Warn of budgets that are nearly used up, once a day or month."""
    await context.every(SWEEP_S, "the warning of budgets", lambda: warn_of_budgets(context.services))


async def sum_usage(context: WorkerContext) -> None:
    """Keep the sums of usage."""

    async def turn() -> None:
        while await context.services.store.sum_usage():
            pass

    await context.every(SUM_S, "the sums of usage", turn)


async def stop_unwanted_orders(context: WorkerContext) -> None:
    """Ask vendors once more to stop the jobs of canceled and overdue tasks."""
    await context.every(
        SWEEP_S, "stopping unwanted orders", lambda: stop_unwanted(context.services, context.claimer.providers)
    )


async def prune_old_rows(context: WorkerContext) -> None:
    """Remove what is older than the policy keeps it, unless another process does."""

    async def look() -> None:
        pruned = await prune(context.services, context.services.retention_policy)
        if pruned is not None and not pruned.is_nothing:
            _log.info("removed because of its age: %s", pruned)

    await context.every(
        context.options.prune_every_s, "the removal of what is old", look, longest_pause_s=PRUNE_AWAY_PAUSE_S
    )


async def erase_deleted_rows(context: WorkerContext) -> None:
    """Remove what somebody has deleted, and what is past its own retention."""

    async def look() -> None:
        erased = await erase(context.services, settled_s=context.options.erase_after_s)
        if not erased.is_nothing:
            _log.info("removed because it was deleted: %s", erased)

    await context.every(context.options.erase_every_s, "the removal of what was deleted", look)
