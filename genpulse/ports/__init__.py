"""The ports: what `lifecycle/`, `api/` and `worker/` need of the outside, a file each. `Services` holds all.

Services
├── store      TaskStore        tasks and attempts; the one truth
├── batches    BatchStore       tasks that were submitted together, as one thing
├── queue      TaskQueue        which task is due, and for whom
├── gate       ProviderGate     circuit breaker and rate limit of each provider account
├── events     EventBus         live events, which may be lost
├── presence   Presence         which workers are alive
├── storage    Storage          bytes of assets
├── retention  Retention        removes what is old
├── deliveries DeliveryStore    webhook deliveries; MessageSender sends them
├── ended_work EndedWork        what ended within a time, to be counted
├── deletions  DeletionStore    deletes tasks and assets for good
├── budgets    BudgetStore      who was warned of budgets; the end of old counters
├── console    ConsoleStore     who is logged in to the console, and what was done there
├── keys       KeyStore         API keys; ClientTokenStore what they let others do
├── calls      CallMemory       calls without an idempotency key, over all processes; may be lost
├── catalogue  Catalogue        installed providers and models
├── thumbnails Thumbnails       who remembers thumbnails of assets, and who makes them
├── tracing    Tracing          which step lies within which, and how long each takes
├── traces     TraceStore       the spans in which tasks were submitted
├── uploaded_files UploadedFileStore    what callers said of the files that they brought
└── probes     Probe            how each service is

An implementation lives in `adapters/`, one a file, and passes the contract suite of its port. When what it
depends on is away it raises `DatabaseUnavailable` or `StorageUnavailable`, and never anything foreign. What is
gone for ever is `StorageLost`, and nobody waits for it.
"""

from genpulse.ports.api_keys import KeyStore
from genpulse.ports.assets.storage import CheckedFile, Noting, Storage
from genpulse.ports.assets.thumbnails import ThumbnailMaker, Thumbnails, ThumbnailStore
from genpulse.ports.assets.uploaded_files import UploadedFileStore
from genpulse.ports.budgets import BudgetStore
from genpulse.ports.call_memory import CallMemory
from genpulse.ports.catalogue import Catalogue
from genpulse.ports.client_tokens import ClientTokenStore
from genpulse.ports.console import ConsoleStore
from genpulse.ports.ended_work import EndedWork
from genpulse.ports.events import EventBus, Subscription
from genpulse.ports.health import Health, Probe, State
from genpulse.ports.presence import Presence, WorkerPresence
from genpulse.ports.provider_gate import ProviderGate
from genpulse.ports.queue import QueueMark, TaskQueue
from genpulse.ports.removal.deletion import DeletionStore
from genpulse.ports.removal.retention import Pruning, Retention
from genpulse.ports.services import EnvironmentFacts, Services
from genpulse.ports.tasks.batches import BatchStore
from genpulse.ports.tasks.store import RouteMove, TaskNotification, TaskStore
from genpulse.ports.tasks.traces import TraceStore
from genpulse.ports.tracing import EngineStep, IncomingRequest, NoTracing, RequestSpan, Tracing
from genpulse.ports.webhooks import DeliveryStore, MessageSender

__all__ = [
    "BatchStore",
    "BudgetStore",
    "CallMemory",
    "Catalogue",
    "CheckedFile",
    "ClientTokenStore",
    "ConsoleStore",
    "DeletionStore",
    "DeliveryStore",
    "EndedWork",
    "EngineStep",
    "EnvironmentFacts",
    "EventBus",
    "Health",
    "IncomingRequest",
    "KeyStore",
    "MessageSender",
    "NoTracing",
    "Noting",
    "Presence",
    "Probe",
    "ProviderGate",
    "Pruning",
    "QueueMark",
    "RequestSpan",
    "Retention",
    "RouteMove",
    "Services",
    "State",
    "Storage",
    "Subscription",
    "TaskNotification",
    "TaskQueue",
    "TaskStore",
    "ThumbnailMaker",
    "ThumbnailStore",
    "Thumbnails",
    "TraceStore",
    "Tracing",
    "UploadedFileStore",
    "WorkerPresence",
]
