"""One of each port, and what they know of their environment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from genpulse.background.contained_tasks import ContainedTasks
from genpulse.background.loops import Loops
from genpulse.background.turns import Turns
from genpulse.domain.money.spending import Spending
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.routing.latencies import Latencies
from genpulse.domain.routing.route import NO_ROUTES, Routes
from genpulse.environment.build_info import Build
from genpulse.ports.api_keys import KeyStore
from genpulse.ports.assets.storage import Storage
from genpulse.ports.assets.thumbnails import Thumbnails
from genpulse.ports.assets.uploaded_files import UploadedFileStore
from genpulse.ports.budgets import BudgetStore
from genpulse.ports.call_memory import CallMemory
from genpulse.ports.catalogue import Catalogue
from genpulse.ports.console import ConsoleStore
from genpulse.ports.ended_work import EndedWork
from genpulse.ports.events import EventBus
from genpulse.ports.health import Probe
from genpulse.ports.presence import Presence
from genpulse.ports.provider_gate import ProviderGate
from genpulse.ports.queue import TaskQueue
from genpulse.ports.removal.deletion import DeletionStore
from genpulse.ports.removal.retention import Retention
from genpulse.ports.tasks.batches import BatchStore
from genpulse.ports.tasks.store import TaskStore
from genpulse.ports.tasks.traces import TraceStore
from genpulse.ports.tracing import NO_TRACING, Tracing
from genpulse.ports.webhooks import DeliveryStore, MessageSender
from genpulse.provider import EngineThreads
from genpulse.provider.http import Http


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """The environment that this process belongs to, with nothing secret in it.

    `build` is the stamp of what runs here; None where nothing was built. `shows_provider_errors`: a task says what
    a plug-in raised unexpectedly, and where.
    """

    name: str
    dynaconf: str
    branch: str
    key_prefix: str
    db_mode: str
    services: str
    target: str
    api_key_prefix: str
    build: Build | None = None
    shows_provider_errors: bool = False


MOST_COLLECTED = 256
"""Results of one provider that a process has in hand at once: each is a connection or a file, and some memory."""


@dataclass(frozen=True, slots=True)
class Services:
    """One of each, chosen once in `wiring.py` and handed in. No output may be larger than `output_limit_bytes`.

    `bounds` tell for how long vendors' odd answers are borne with. `callback_base_url` is where providers reach
    this installation, None when they cannot. `threads` are for engines that work here, and for nothing of ours.
    `http` fetches the files that inputs name by a URL; where it is None nobody does. `api_url` is where callers
    reach our own, without a slash at its end; empty where that is not known. `latencies` are kept fresh by the
    process that takes orders. `thumbnails` is None where nothing that makes them is installed. Without
    `calls` each process knows its own alone. `traces` is None where nothing is traced. `collecting` bounds how
    many results of one provider a worker has in hand at once, from fetching one until it is stored, however many
    of its jobs end in the same moment; those that wait for a storage that is away are not counted.
    """

    environment: EnvironmentFacts
    store: TaskStore
    batches: BatchStore
    queue: TaskQueue
    gate: ProviderGate
    events: EventBus
    deliveries: DeliveryStore
    ended_work: EndedWork
    keys: KeyStore
    retention: Retention
    deletions: DeletionStore
    budgets: BudgetStore
    uploaded_files: UploadedFileStore
    console: ConsoleStore
    sender: MessageSender
    presence: Presence
    storage: Storage
    catalogue: Catalogue
    probes: tuple[Probe, ...]
    retry: RetryPolicy
    spending: Spending
    retention_policy: RetentionPolicy
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    random: Callable[[], float]
    loops: Loops = field(default_factory=Loops)
    contained_tasks: ContainedTasks = field(default_factory=ContainedTasks)
    output_limit_bytes: int = 8 << 30
    bounds: Bounds = field(default_factory=Bounds)
    callback_base_url: str | None = None
    threads: EngineThreads = field(default_factory=EngineThreads)
    http: Http | None = None
    api_url: str = ""
    routes: Routes = NO_ROUTES
    latencies: Latencies = field(default_factory=Latencies)
    thumbnails: Thumbnails | None = None
    calls: CallMemory | None = None
    collecting: Turns = field(default_factory=lambda: Turns(MOST_COLLECTED))
    tracing: Tracing = NO_TRACING
    traces: TraceStore | None = None
