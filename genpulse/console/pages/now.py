"""What waits, runs and is wrong at this moment."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

from genpulse.console import rendering
from genpulse.console.console import Console
from genpulse.console.live import Fragments
from genpulse.console.viewer import Viewer
from genpulse.console.views.throughput import Minute
from genpulse.console.visit import Visit
from genpulse.domain.money.allowance import LimitUse
from genpulse.domain.provider_account.gate import Circuit, CircuitState, Limits
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.looked_through import LOOKED_THROUGH
from genpulse.domain.search.queue_load import QueueLoad
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.budgets.standing import budget_standing
from genpulse.ports import Services, WorkerPresence

KIND = "now"
EVERY_S = 1.0
_LISTED = 10


@dataclass(frozen=True, slots=True)
class ProviderNow:
    """A provider: what waits and runs there by priority, how its account is, and why what waits does.

    It `lacks` settings that have to be set before it can do anything.
    """

    name: str
    loads: Sequence[QueueLoad]
    circuit: Circuit
    limits: Limits
    lacks: Sequence[str]
    why: str

    @property
    def waiting(self) -> int:
        """What could be taken by a worker."""
        return sum(load.waiting for load in self.loads)

    @property
    def later(self) -> int:
        """What is due later."""
        return sum(load.later for load in self.loads)

    @property
    def running(self) -> int:
        """What workers hold."""
        return sum(load.running for load in self.loads)

    @property
    def overdue_s(self) -> float:
        """For how long the oldest could have been taken."""
        return max((load.overdue_s for load in self.loads), default=0.0)


@dataclass(frozen=True, slots=True)
class Now:
    """How an installation stands."""

    providers: Sequence[ProviderNow]
    workers: Sequence[WorkerPresence]
    minutes: Sequence[Minute]
    spent_usd: Decimal
    budgets: Sequence[LimitUse]
    key_names: Mapping[str, str]
    messages: Backlog

    @property
    def waiting(self) -> int:
        """What could be taken by a worker."""
        return sum(one.waiting for one in self.providers)

    @property
    def later(self) -> int:
        """What is due later."""
        return sum(one.later for one in self.providers)

    @property
    def running(self) -> int:
        """What workers hold."""
        return sum(one.running for one in self.providers)

    @property
    def ended(self) -> int:
        """What ended in the last hour."""
        return sum(minute.total for minute in self.minutes)

    @property
    def failed(self) -> int:
        """What failed in it."""
        return sum(minute.failed for minute in self.minutes)

    @property
    def failure_rate(self) -> float:
        """The share of that hour that failed."""
        tried = self.failed + sum(minute.succeeded for minute in self.minutes)
        return self.failed / tried if tried else 0.0

    @property
    def most(self) -> int:
        """The highest number of a minute, for the scale of the plot."""
        return max((minute.total for minute in self.minutes), default=0)


async def show(visit: Visit) -> Response:
    """The page."""
    parts = await fragments(visit.console, visit.services, visit.viewer)
    return visit.page("now.html", "Now", live="/live/now", parts=parts)


async def fragments(console: Console, services: Services, viewer: Viewer) -> Fragments:
    """What of the page changes: for a key without `admin` its own tasks and limits alone."""
    if not viewer.sees_all:
        return await _own(services, viewer)
    now = await look(console, services)
    return {
        name: rendering.render(f"now/{name}.html", now=now, viewer=viewer)
        for name in ("figures", "plots", "providers", "workers", "money")
    }


async def look(console: Console, services: Services) -> Now:
    """How it stands. Raises `DatabaseUnavailable`."""
    loads, workers, minutes, spent_usd, standing, messages = await asyncio.gather(
        services.queue.loads(),
        services.presence.workers(),
        console.throughput.look(services.ended_work),
        services.store.spent_usd(),
        budget_standing(services),
        services.deliveries.backlog(),
    )
    return Now(
        providers=await _providers(services, loads, workers),
        workers=sorted(workers, key=lambda one: (one.host, one.name)),
        minutes=minutes,
        spent_usd=spent_usd,
        budgets=standing.uses,
        key_names={str(key_id): name for key_id, name in standing.key_names.items()},
        messages=messages,
    )


async def _providers(
    services: Services, loads: Sequence[QueueLoad], workers: Sequence[WorkerPresence]
) -> list[ProviderNow]:
    by_provider = defaultdict[str, list[QueueLoad]](list)
    for load in loads:
        by_provider[load.provider].append(load)
    names = sorted({*services.catalogue.providers(), *by_provider})
    circuits = await asyncio.gather(*(_circuit(services, name) for name in names))
    return [
        ProviderNow(
            name,
            own := tuple(by_provider[name]),
            circuit,
            limits := services.gate.limits(name),
            services.catalogue.lacks(name),
            _why(name, own, circuit, limits, workers),
        )
        for name, circuit in zip(names, circuits, strict=True)
    ]


async def _circuit(services: Services, provider: str) -> Circuit:
    return await services.gate.circuit(provider) if services.gate.guards(provider) else Circuit()


def _why(
    provider: str,
    loads: Sequence[QueueLoad],
    circuit: Circuit,
    limits: Limits,
    workers: Sequence[WorkerPresence],
) -> str:
    """Why tasks of the provider wait, in words; empty where none does."""
    if not any(load.waiting for load in loads):
        return ""
    serving = [worker for worker in workers if provider in worker.providers]
    running = sum(load.running for load in loads)
    if circuit.state is not CircuitState.CLOSED or circuit.hold is not None:
        return f"Its account is left alone: {circuit.reason or 'it asked for a pause'}"
    if not serving:
        return "No worker that serves it is there. Start one: genpulse worker"
    seats = circuit.learned.concurrency if circuit.learned else limits.concurrency
    if seats is not None and running >= seats:
        return f"All of its {seats} seats are taken"
    if all(worker.running >= worker.concurrency for worker in serving):
        return "All workers that serve it are full"
    if limits.rate is not None:
        return f"It may be asked {limits.rate}"
    return "Workers are taking them"


async def _own(services: Services, viewer: Viewer) -> Fragments:
    """What one key has under way, and what is left of its limits."""
    wanted = TaskFilter(statuses=(TaskStatus.QUEUED, TaskStatus.RUNNING), owners=(viewer.caller.owner,))
    page, standing = await asyncio.gather(
        services.store.look(TaskQuery(_LISTED, None, wanted), LOOKED_THROUGH),
        budget_standing(services, viewer.caller),
    )
    names = {str(key_id): name for key_id, name in standing.key_names.items()}
    return {
        "own": rendering.render("now/own.html", page=page, viewer=viewer, keys=names),
        "limits": rendering.render("now/limits.html", budgets=standing.uses, key_names=names),
    }
