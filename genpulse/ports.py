"""Every door to the outside, on one page. `Services` holds one of each.

An implementation lives in `adapters/`, one a file, and passes the contract suite of its port. When what it
stands on is away it raises `DatabaseUnavailable` or `StorageUnavailable`, and never anything foreign. What is gone
for ever is `StorageLost`, and nobody waits for it.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias
from uuid import UUID

from genpulse.background.loops import Loops
from genpulse.build import Build
from genpulse.domain.api_key import ApiKey, KeyUsage
from genpulse.domain.asset import Asset, Content, Spooled
from genpulse.domain.attempt import Attempt, Begun, End, Held, Lease, Worker
from genpulse.domain.bounds import Bounds
from genpulse.domain.delivery import Answer, Delivery, Unreadable
from genpulse.domain.event import TaskEvent
from genpulse.domain.failure import Failure
from genpulse.domain.gate import Admission, Circuit, Limits
from genpulse.domain.rate import Rate
from genpulse.domain.retention import Ages, Batch, Doomed, Pruned, RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.spending import UNLIMITED, Spending, SpendingLimits
from genpulse.domain.task import NewTask, OpenOrder, Submitted, Task, TaskQuery, WaitsFor
from genpulse.domain.text import storable_line
from genpulse.domain.webhook_secret import SHARED, SigningSecrets
from genpulse.provider import AnyModel, EngineThreads


@dataclass(frozen=True, slots=True)
class TaskNotice:
    """Something that concerns a running task: `unwanted`, somebody wants it to stop; else its vendor has news."""

    task_id: UUID
    unwanted: bool


class TaskStore(Protocol):
    """The one truth about tasks, attempts and leases.

    Every write checks the state and the lease that it expects, in the row that it changes, and each step is one
    commit: it happens or does not. An order, a job's id, an end and a cancel may be asked for again when the
    answer was lost; of lost claims `renew` tells; a submit is known again by its idempotency key alone. All
    moments are the database's own.
    """

    async def submit(self, task: NewTask, limits: SpendingLimits = UNLIMITED) -> Submitted:
        """Write the row and its queue entry in one commit; return after it.

        The limits are looked at in that commit, so that nothing goes over them together with what comes at the
        same moment. Raises `IdempotencyKeyReuse`, `BudgetExceeded`, `KeyLimitExceeded`; one of these two also
        where a new task does not fit and there is an `earlier` one.
        """

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any. Writes nothing.

        Raises `IdempotencyKeyReuse`.
        """

    async def submit_batch(
        self, tasks: Sequence[NewTask], limits: SpendingLimits = UNLIMITED
    ) -> tuple[Submitted, ...]:
        """The same for several of one owner: all of them or none."""

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`."""

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """A page of tasks, newest first."""

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first. Empty for an unknown task."""

    async def renew(self, worker: Worker, clock: datetime) -> tuple[Held, ...]:
        """Say that the worker is there, which holds all that it has claimed for another `lease_s` seconds.

        Returns all of that: a lease that is not among it is lost. `clock` is the worker's own time, for those who
        compare clocks.
        """

    async def leave(self, worker: Worker) -> None:
        """Say that the worker goes: what it still holds goes to others at once."""

    async def claim(
        self, worker: Worker, provider: str, attempt_ids: Sequence[UUID], *, resumed: bool = True
    ) -> tuple[Begun, ...]:
        """Begin attempts on tasks of a provider that are due, as many as there are ids and free seats.

        Work that was given back comes first where `resumed` is set and is left alone else; then higher priority,
        then what has waited longest. Nothing is claimed by a worker whose own lease has run out. When the answer
        is lost, `renew` tells of leases that nobody knows here.
        """

    async def claim_any(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Begun, ...]:
        """The same for providers without seats, in one step.

        Each of those that have something gets the same part of the ids, rounded up. So there may be more where one
        of them has used its part, which is at least as many as there are ids for each of all providers.
        """

    async def claim_resumed(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Begun, ...]:
        """The same for work of these providers that was given back: seats do not hold it up, it had one before."""

    async def take_over(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Begun, ...]:
        """The same for work of these providers whose worker is lost; its attempts become ABANDONED.

        A worker is lost when its lease has run out, unless nobody at all could renew anything: then each has a
        whole lease from when the first could again.
        """

    async def begun(self, leases: Sequence[Lease]) -> tuple[Begun, ...]:
        """Attempts that began under these leases and have them still."""

    async def journal_order(self, lease: Lease) -> OpenOrder:
        """Commit that the provider is about to be asked for something that may cost money. Raises `LeaseLost`."""

    async def journal_job(self, lease: Lease, job_id: str) -> None:
        """Commit the provider's id of what was ordered. Raises `LeaseLost`.

        Where the lease is lost and the task still has the order that was made under it, the id is kept all the
        same: whoever has the task now, or tries it again, goes on with that job.
        """

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """Keep how far the work has come. A lost lease is no error here; the next checked write tells."""

    async def save_waiting(
        self, lease: Lease, waiting_for: WaitsFor | None, error: Failure | None, seq: int
    ) -> None:
        """Keep what the task waits for, or that it goes on (None), and what the last try said.

        The task's `seq` becomes `seq`, and in any case higher than it was. A lost lease is no error here.
        """

    async def finish(self, end: End) -> int:
        """End the attempt, move the task, and settle its queue entry, in one commit. Raises `LeaseLost`.

        A task that nobody wants any more does not wait for another attempt: it is canceled, unless it has an order
        that is still to be stopped. Returns the number of the event that tells the end, which is the task's `seq`
        from then on, also when the end was written before and its answer got lost.
        """

    async def cancel(self, task_id: UUID) -> Task:
        """End a queued task, ask the worker of a running one to stop, leave an ended one as it is.

        A queued task that has an open order goes to a worker at once, which stops it at the vendor.
        Raises `UnknownTask`.
        """

    async def retry(self, task_id: UUID, *, keeps_order: bool = True, limits: SpendingLimits = UNLIMITED) -> Task:
        """Queue a failed task again, with failures and losses counted anew. It counts today with its price.

        Without `keeps_order` an order whose end is not known is forgotten. Raises `UnknownTask`, `NotRetryable`,
        `BudgetExceeded`, `KeyLimitExceeded`.
        """

    async def expire(self) -> tuple[Task, ...]:
        """End queued tasks whose deadline has passed (at most 1,000 at a time) and return them.

        Those with an open order go to a worker at once.
        """

    async def to_stop(self, providers: Sequence[str], limit: int) -> tuple[Task, ...]:
        """At most `limit` ended tasks of these providers whose orders are still to be stopped at the vendor.

        A task is due half a minute after its end, then later and later, and goes to one caller each time. After a
        day it comes for the last time, and its order is left as it is.
        """

    async def stopped(self, task_id: UUID, reference: str) -> None:
        """The order that an ended task has under this reference is over. Of any other task or order: nothing."""

    async def spent_usd(self) -> Decimal:
        """What is spent or promised today, in US dollars.

        A task counts with its cost where that is known, else with its price while it waits or runs, when it
        succeeded, or was canceled after it had begun; and with its price once more for each failed attempt that
        was charged, or may have been. That is on the day (UTC) on which it was submitted or asked for again; a
        task for which `hold_price` is called on a later day goes on to count on that one.
        """

    async def hold_price(self, task_id: UUID, daily_usd: Decimal) -> None:
        """Before a running task's order is paid: let its price stand among what today costs.

        Raises `BudgetExceeded`, with what the others cost, where all together are more than `daily_usd`.
        """

    async def now(self) -> datetime:
        """The clock by which all moments in rows are counted."""

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity; its bytes are stored already."""

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""

    async def owners_of_assets(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are, empty for those of nobody; assets that are not there are left out."""

    async def counts(self) -> dict[str, int]:
        """How many tasks there are in each state that has not ended."""


class TaskQueue(Protocol):
    """What waits, and who tells that it does. What a worker is told here it may also find out by looking."""

    def limited(self, provider: str) -> bool:
        """Whether only so many tasks of this provider may run at once, over all workers."""

    async def due(self, providers: Sequence[str]) -> tuple[str, ...]:
        """Which of these providers have a new task that could be claimed now: it is due and has a free seat."""

    async def promote(self, older_than_s: float) -> int:
        """Give tasks that wait for so many seconds the next higher priority, and once more after as long again.

        So none waits for ever behind higher ones. Returns how many there were, at most 1,000 at a time.
        """

    def mark(self) -> int:
        """A number that grows whenever there may be something to claim. Take it before you look."""

    async def wait(self, mark: int, providers: Sequence[str], timeout_s: float) -> None:
        """Return when there may be something to claim that was not there at `mark`.

        At the latest after `timeout_s` seconds, or when a task of these providers is due that had to wait.
        """

    def notices(self, worker: Worker) -> AsyncIterator[TaskNotice]:
        """What others tell this worker about tasks that it holds, as it comes.

        A wish to stop that is missed is found by `TaskStore.renew`, news of a vendor by polling.
        """

    async def announce_change(self, task_id: UUID) -> None:
        """Tell the worker that holds this task that something has happened to it at its provider."""

    async def depth(self) -> int:
        """How many tasks wait."""

    async def tidy(self) -> None:
        """Forget workers that are gone for long."""


class ProviderGate(Protocol):
    """Lets work through to the providers' accounts, for all workers together.

    Never raises: when nobody can be asked, each process keeps to its own share of the rates.
    """

    def guards(self, provider: str) -> bool:
        """Whether there is anything to ask: not where work is done here and no rate is set."""

    async def admit(self, provider: str, wanted: int) -> Admission:
        """Let at most `wanted` (1 or more) new tasks through."""

    async def give_back(self, provider: str, count: int) -> None:
        """So many of those that were let through asked the provider for nothing; 0: one did and learned nothing.

        Their turns are free again, and a probe ends, since one of them may have been it.
        """

    async def succeeded(self, provider: str) -> None:
        """The account answered: its circuit closes. A wait that the provider asked for goes on."""

    async def failed(self, provider: str, failure: Failure) -> Circuit:
        """An attempt that asked the provider failed. Returns how the account is since then.

        Any definite answer closes the circuit as a success does; trouble that others would meet too counts towards
        opening it; what was asked for by RATE_LIMITED is kept; a failure of our own kind only ends a probe.
        """

    def limits(self, provider: str) -> Limits:
        """What the account may be asked."""

    async def pace(self, name: str, rate: Rate) -> float:
        """Seconds until something of that name may happen again; 0 lets it happen now."""

    async def circuit(self, provider: str) -> Circuit:
        """How the account is."""


class Subscription(Protocol):
    """The events of one task, as they come."""

    async def next(self, timeout_s: float) -> TaskEvent | None:
        """The next event, or None after `timeout_s` seconds."""


class EventBus(Protocol):
    """Carries events from workers to those who watch. What it loses can be read from the row."""

    def publish(self, event: TaskEvent) -> None:
        """Send soon, without waiting; dropped while the bus is away."""

    def subscribe(self, task_id: UUID) -> AbstractAsyncContextManager[Subscription]:
        """Listen from now on. Never fails: while the bus is away there are just no events."""


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    """A worker that said it is there. `concurrency` and `running` count tasks, `failing` are background loops."""

    name: str
    host: str
    pid: int
    concurrency: int
    running: int
    providers: tuple[str, ...]
    failing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hosts and plug-ins are named by others: their names are made fit to be sent."""
        object.__setattr__(self, "name", storable_line(self.name))
        object.__setattr__(self, "host", storable_line(self.host))
        object.__setattr__(self, "failing", tuple(map(storable_line, self.failing)))


class Presence(Protocol):
    """Which workers are there, as far as is known."""

    async def beat(self, worker: WorkerPresence, ttl_s: float) -> None:
        """Be seen for `ttl_s` seconds. Does nothing while it cannot be written."""

    async def workers(self) -> tuple[WorkerPresence, ...]:
        """Those that were seen. Empty when nothing is known."""


Noting: TypeAlias = Callable[[str, int], Awaitable[None]]
"""Is told the key and the size in bytes of what is about to be stored; what it raises passes through."""


class Storage(Protocol):
    """The team's own storage: content under keys made from the week and its SHA-256."""

    async def keep(
        self,
        content: bytes | Path | Spooled | AsyncIterable[bytes],
        *,
        limit_bytes: int | None = None,
        noting: Noting | None = None,
    ) -> Content:
        """Store the bytes, never holding a stream whole in memory, and tell what they are.

        `noting` is awaited when the key is known and before anything is stored under it: see `Retention.expect`.
        The media type is found from the bytes. Content is not stored twice in a week (ISO, UTC). Raises
        `ContentTooLarge`, `StorageUnavailable`, `StorageFull`, and `StorageLost` for a file that does not exist or
        cannot be read; whatever a stream raises passes through and nothing is kept.
        """

    def spool(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> AbstractAsyncContextManager[Spooled]:
        """The bytes of a stream in a local file, which is gone afterwards: it can be kept more than once.

        Raises as `keep` does.
        """

    def read(self, key: str, start: int, end: int, *, sha256: str = "") -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks.

        Where these are all bytes, `sha256` is what they have to have: other bytes are lost ones, which is told
        before the last chunk.
        Raises `StorageUnavailable`, and `StorageLost` where these bytes are not there and never come back.
        """

    async def remove(self, keys: Sequence[str]) -> None:
        """Forget the bytes under these keys; those that are gone already are no error.

        Raises `StorageUnavailable`, and then some of them may be left.
        """


class Pruning(Protocol):
    """A turn at removing what is old. Each call is one transaction, and waits for no other one.

    Ages are counted by the clock of the database. All raise `DatabaseUnavailable`.
    """

    async def now(self) -> datetime:
        """What that clock says."""

    async def tasks(self, older_than: timedelta, limit: int) -> Batch:
        """Remove at most `limit` tasks that ended longer ago, oldest first, with attempts, messages and keys.

        A task stays while a message about it is still to be sent. Its assets stay behind, of no task.
        """

    async def assets(self, older_than: timedelta, limit: int) -> Batch:
        """Remove at most `limit` older assets that are of no task and that no input of a task names, oldest first.

        The keys of those that were the last with their content are kept as doomed, in the same commit.
        """

    async def doomed(self, older_than: timedelta, limit: int) -> Doomed:
        """Objects that may be removed now: no asset has them, and they were expected or had one longer ago.

        Looks at the oldest `limit` entries; those that an asset has are no longer looked at.
        """

    async def forget(self, keys: Sequence[str], older_than: timedelta) -> None:
        """These objects were removed. One that has been expected again since then is remembered."""


class Retention(Protocol):
    """Removes what is old, one process at a time, and nothing of another environment."""

    async def expect(self, key: str, size: int) -> None:
        """Note that `size` bytes are about to be stored under this key.

        They are removed when no asset has come to have them long after. Note them again whenever they are stored
        again. Raises `DatabaseUnavailable`.
        """

    def turn(self) -> AbstractAsyncContextManager[Pruning | None]:
        """None while another process has the turn. Raises `DatabaseUnavailable`."""

    async def due(self, ages: Ages) -> Pruned:
        """What would be removed now. Changes nothing. Raises `DatabaseUnavailable`."""


class DeliveryStore(Protocol):
    """Messages about ended tasks. Each is written in the commit that ends its task, by the store of tasks.

    Moments are the store's own: callers say how long, never when. All raise `DatabaseUnavailable`.
    """

    async def due(
        self, limit: int, held_s: float, *, per_origin: int, room: Mapping[str, int]
    ) -> tuple[tuple[Delivery, Task | Unreadable], ...]:
        """Take at most `limit` that are due, so that nobody else sends them for `held_s` seconds.

        No more than `room` says of an origin, which may be 0, and `per_origin` of those that it does not name:
        first one of each origin, then a second one. With each comes the task as it was when it ended.
        """

    async def taken(self, delivery_id: UUID, answer: Answer) -> None:
        """It was received."""

    async def not_taken(self, delivery_id: UUID, answer: Answer, again_in_s: float | None) -> datetime | None:
        """It was not received; returns when it is sent again, None when it is given up.

        That is in `again_in_s` seconds, but not later than its `given_until`; a try after that was the last one,
        and so is any when `again_in_s` is None. One that was received in the meantime stays so.
        """

    async def put_off(self, origin: str, again_in_s: float, why: str) -> int:
        """An origin is silent: all messages to it that are due wait for `again_in_s` seconds; returns how many.

        No try is counted. Those whose `given_until` is over are given up because of `why`. At most 10,000 a call.
        """

    async def of_task(self, task_id: UUID) -> tuple[Delivery, ...]:
        """All about one task, oldest first."""

    async def again(self, task_id: UUID, delivery_id: UUID) -> Delivery:
        """Send it soon and for a whole day, also one that was received. Raises `UnknownDelivery`."""


class KeyStore(Protocol):
    """API keys, and the secret that signs addresses. Of a key's token only the digest is kept."""

    async def add(self, key: ApiKey, digest: bytes, webhook_secret: str | None = None) -> None:
        """Keep a new key, perhaps with a webhook secret of its own. Raises `SealingKeyMissing`."""

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, whatever its state."""

    async def all(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""

    async def revoke(self, beginning: str, now: datetime) -> ApiKey:
        """Revoke the key whose id begins like this; one that is revoked stays as it is. Raises `UnknownKey`."""

    async def used(self, key_id: UUID, now: datetime) -> None:
        """Note that it was used."""

    async def usage(self, key_id: UUID) -> KeyUsage:
        """What it has done by now. Its tasks count as in `TaskStore.spent_usd`."""

    async def signing_secret(self) -> bytes:
        """The 32 random bytes that sign addresses of assets, the same for all processes."""

    async def rotate_webhook_secret(self, beginning: str, secret: str, overlap: timedelta) -> ApiKey:
        """Let a new secret sign messages about the key's tasks; whatever signs now does so for the overlap, too.

        An overlap of nothing ends that at once. Raises `UnknownKey`, `SealingKeyMissing`.
        """

    async def remove_webhook_secret(self, beginning: str, overlap: timedelta) -> ApiKey:
        """Let the shared secret sign again, and the key's own beside it for the overlap.

        Raises `UnknownKey`, `NoWebhookSecret`.
        """

    async def webhook_secrets(self, key_id: UUID) -> SigningSecrets:
        """What signs messages about its tasks now; `SHARED` where there is no such key. Raises `SealedSecret`."""

    async def reseal_webhook_secrets(self) -> int:
        """Seal all of them with the newest key; returns how many. Raises `SealedSecret`, and then changes none."""


class MessageSender(Protocol):
    """Sends a signed message to another system."""

    def refusal(self, url: str) -> str | None:
        """Why nothing is ever sent to this URL, as far as the URL alone tells; None where it may be."""

    async def send(
        self, url: str, message_id: str, body: bytes, *, now: datetime, secrets: SigningSecrets = SHARED
    ) -> Answer:
        """Send it once, signed by these. Answers within 30 seconds and never raises; `now` is signed, too."""


class Catalogue(Protocol):
    """The models of all enabled providers."""

    def providers(self) -> tuple[str, ...]:
        """Their names, sorted."""

    def title(self, provider: str) -> str:
        """What a provider calls itself; its name where it says nothing."""

    def is_paid(self, provider: str) -> bool:
        """Whether asking it may cost money; an unknown one does not."""

    def is_configured(self, provider: str) -> bool:
        """Whether it has what it needs, such as a key; an unknown one has not."""

    def lacks(self, provider: str) -> tuple[str, ...]:
        """Settings that have to be set before it can do anything, such as `providers.fal.api_key`."""

    def models(self) -> tuple[tuple[str, AnyModel], ...]:
        """Public id (`provider/name`) and model, sorted by id."""

    def model(self, model_id: str) -> AnyModel:
        """Raises `UnknownModel`, with the nearest names."""


class State(StrEnum):
    """How a part of the system is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """A part of the system and how it is. Only DOWN makes the process not ready."""

    name: str
    state: State
    detail: str = ""


class Probe(Protocol):
    """Looks at one part of the system."""

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """The environment that this process belongs to, with nothing secret in it.

    `build` is the stamp of what runs here; None where nothing was built.
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


@dataclass(frozen=True, slots=True)
class Services:
    """One of each, chosen once in `wiring.py` and handed in. No output may be larger than `output_limit_bytes`.

    `bounds` tell for how long vendors' odd answers are borne with. `hooks_url` is where providers reach this
    installation, None when they cannot. `threads` are for engines that work here, and for nothing of ours.
    """

    environment: EnvironmentFacts
    store: TaskStore
    queue: TaskQueue
    gate: ProviderGate
    events: EventBus
    deliveries: DeliveryStore
    keys: KeyStore
    retention: Retention
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
    output_limit_bytes: int = 8 << 30
    bounds: Bounds = field(default_factory=Bounds)
    hooks_url: str | None = None
    threads: EngineThreads = field(default_factory=EngineThreads)
