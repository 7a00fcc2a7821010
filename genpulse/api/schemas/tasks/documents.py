"""Tasks and assets as callers see them. Times are in UTC, sizes in bytes, durations in seconds."""

from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, SkipValidation
from pydantic.main import IncEx
from pydantic_core import from_json
from typing_extensions import TypeAliasType

from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.routes import RouteDocument
from genpulse.domain.assets.asset import Asset
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.json.value import JsonValue
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.task_result import TaskResult, tells_more
from genpulse.domain.task import Priority, Task, TaskStatus, WaitsFor
from genpulse.domain.warning import TaskWarning, WarningCode


class AssetDocument(Document):
    """A file that was made or uploaded."""

    model_config = ConfigDict(title="Asset")

    id: UUID
    url: str
    """Where its bytes are. It needs no API key, and runs out: the task gives a fresh one."""
    thumbnail_url: str | None
    """Where a WebP of it is, 320 pixels wide at most; `w` may be another width. Null where it can have none."""
    media_type: str = Field(examples=["image/png"])
    """Found from the bytes themselves."""
    bytes: int
    sha256: str
    width: int | None
    """Pixels; null where it does not apply."""
    height: int | None
    """Pixels; null where it does not apply."""
    duration_s: float | None
    """Seconds; null where it does not apply."""

    @classmethod
    def of(cls, asset: Asset, links: Links) -> "AssetDocument":
        """From the domain's value."""
        content = asset.content
        return cls(
            id=asset.id,
            url=links.content(asset.id),
            thumbnail_url=links.thumbnail(asset.id, content.media_type),
            media_type=content.media_type,
            bytes=content.size,
            sha256=content.sha256,
            width=content.width,
            height=content.height,
            duration_s=content.duration_s,
        )


class KeptAssetDocument(AssetDocument):
    """An asset with its origin."""

    model_config = ConfigDict(title="KeptAsset")

    task_id: UUID | None
    """The task that made it; null for an upload, and when that task is gone."""
    environment: str
    created_at: Time

    @classmethod
    def of(cls, asset: Asset, links: Links) -> "KeptAssetDocument":
        """From the domain's value."""
        return cls(
            **dict(AssetDocument.of(asset, links)),
            task_id=asset.task_id,
            environment=asset.environment,
            created_at=asset.created_at,
        )


class FailureDocument(Document):
    """Why a task failed."""

    model_config = ConfigDict(title="Failure")

    code: FailureCode
    message: str
    retryable: bool
    """Whether the same task may succeed when it is retried."""
    charged: Charged
    """Whether the provider took money."""
    who_must_act: Actor
    """Who has to do something first."""

    @classmethod
    def of(cls, failure: Failure) -> "FailureDocument":
        """From the domain's value."""
        return cls(
            code=failure.code,
            message=failure.message,
            retryable=failure.retryable,
            charged=failure.charged,
            who_must_act=failure.who_must_act,
        )


class WarningDocument(Document):
    """What is odd about a task that succeeded nevertheless."""

    model_config = ConfigDict(title="Warning")

    code: WarningCode
    """`output_missing`: one of several outputs is missing, filtered, broken or deleted. `flagged`: the provider
    marked what it made, for example as unsafe. `unknown_status`: it said a word of its job that nobody knows.
    `cost_not_taken`: it reported a cost that cannot be true. `truncated`: `result` is not all of its answer."""
    index: int | None
    """Which of the outputs that were asked for, from 0; null where it is about none of them."""
    message: str

    @classmethod
    def of(cls, warning: TaskWarning) -> "WarningDocument":
        """From the domain's value."""
        return cls(code=warning.code, index=warning.index, message=warning.message)


class WaitingDocument(Document):
    """What a task does not go on without."""

    model_config = ConfigDict(title="Waiting")

    what: WaitsFor = Field(examples=["next_attempt"])
    """`next_attempt`: the last try failed, and the next one is not due yet. `worker`: one that has room for it.
    `provider`: it cannot be asked how the job is. `storage`, `database`: ours, which are away or full; what was
    made is kept meanwhile. `run_at`: it is put off to that time.
    `task`: one of those in `depends_on` has not ended."""
    since: Time

    @classmethod
    def of(cls, task: Task) -> "WaitingDocument | None":
        """From the domain's value. A queued task waits for a worker where its row says nothing else."""
        if task.status is not TaskStatus.QUEUED:
            what, since = task.waiting_for, task.waiting_since
        elif task.cancel_requested_at is not None:
            what, since = WaitsFor.WORKER, task.cancel_requested_at
        elif task.awaits_sources:
            what, since = WaitsFor.TASK, task.retried_at or task.created_at
        elif task.is_put_off:
            what, since = WaitsFor.RUN_AT, task.created_at
        else:
            what = task.waiting_for or WaitsFor.WORKER
            since = task.waiting_since or task.retried_at or task.created_at
        return None if what is None or since is None else cls(what=what, since=since)


class CostDocument(Document):
    """What a task cost."""

    model_config = ConfigDict(title="Cost")

    amount_usd: Amount
    """US dollars, as a decimal number in a string."""
    estimated: bool
    """True when the provider did not state it."""

    @classmethod
    def of(cls, cost: Cost) -> "CostDocument":
        """From the domain's value."""
        return cls(amount_usd=cost.amount_usd, estimated=cost.estimated)


PriorityWord = TypeAliasType("PriorityWord", Literal["high", "normal", "low"])
"""One name for it in the OpenAPI document, so that generated clients have one type."""
PRIORITY_WORDS: Mapping[Priority, PriorityWord] = {
    Priority.HIGH: "high",
    Priority.NORMAL: "normal",
    Priority.LOW: "low",
}


class KeyDocument(Document):
    """An API key, as far as it is told."""

    model_config = ConfigDict(title="Key")

    id: str = Field(examples=["0193a1b2-c3d4-7000-8000-000000000000"])
    name: str = Field(examples=["web-shop"])


class TaskUrls(Document):
    """Where to go from here."""

    self: str
    events: str
    """Server-Sent Events. It needs no API key for an hour, where it is signed; read the task for a fresh one."""
    cancel: str
    """POST here to ask that it stops."""


class TaskDocument(Document):
    """A task as it stands."""

    model_config = ConfigDict(title="Task")

    id: UUID
    """A UUIDv7: newer tasks have higher ids."""
    kind: str = Field(examples=["text-to-image"])
    provider: str = Field(examples=["sandbox"])
    model: str = Field(examples=["sandbox/image"])
    """With a route the one at which the task stands."""
    status: TaskStatus
    progress: float | None
    """0.0 to 1.0; null when nothing is known."""
    input: SkipValidation[Mapping[str, object]]
    outputs: list[AssetDocument]
    result: SkipValidation[object] = None
    """What the provider answered, as JSON: null where it is files alone, and before the end. Each file is
    `{"$asset": "<id of an asset>", "url": "…"}`, and null where it is missing; a provider's own name `$asset`
    comes as `$$asset`. It has at most 256 KiB, or a warning `truncated` says what is not there. Lists and batches
    leave it out where there is one: ask for the task."""
    warnings: list[WarningDocument]
    """What is odd about its outputs, or about what its provider says; empty where all is well."""
    error: FailureDocument | None
    """Why it failed; null unless it did. A canceled task has one where nobody knows whether it was charged."""
    last_error: FailureDocument | None
    """What the last try said, while the task has not ended."""
    waiting_for: WaitingDocument | None
    """What a task that has not ended does not go on without, and since when; a `queued` one always has it."""
    next_try_at: Time | None
    """When the next attempt is due, or the first one where it is put off; null unless it waits for that."""
    route: RouteDocument | None
    """Null where the order named one model."""
    depends_on: list[UUID]
    """The tasks whose outputs its input takes, and for whose ends it waits."""
    run_at: Time | None
    """Before when it was not to begin; null where it was to begin at once."""
    cancel_requested_at: Time | None
    """When somebody first asked that it stops. Until `status` says `canceled` it may still end otherwise: an order
    that was sent is awaited, and what a provider has made already is kept."""
    attempt: int
    """How many attempts have begun."""
    failures: int
    """How many of them failed so that they count against the most that a task may have. Those that were cut short
    by the end of a worker do not."""
    priority: PriorityWord
    metadata: SkipValidation[Mapping[str, str]]
    batch: UUID | None
    """The batch with which it was submitted; null for one alone."""
    key: KeyDocument | None
    """Whose task it is, in lists and where one task is asked for; null elsewhere, and unless the caller may see
    the tasks of every API key."""
    cost: CostDocument | None
    environment: str = Field(examples=["dev"])
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    retain_s: int | None
    """Seconds after its end for which it is kept; null: as long as the installation keeps tasks."""
    urls: TaskUrls

    @classmethod
    def of(cls, task: Task, links: Links, key: KeyDocument | None = None) -> "TaskDocument":
        """From the domain's value. `key` is told where the caller may know of it."""
        url, waiting = links.task(task.id), WaitingDocument.of(task)
        is_put_off = waiting is not None and waiting.what in {WaitsFor.NEXT_ATTEMPT, WaitsFor.RUN_AT}
        return cls(
            id=task.id,
            kind=task.kind,
            provider=task.provider,
            model=task.model,
            status=task.status,
            progress=task.progress,
            input=task.input,
            outputs=[AssetDocument.of(asset, links) for asset in task.outputs],
            result=_result(task.result, links) if task.result else None,
            warnings=[WarningDocument.of(warning) for warning in task.warnings],
            error=_failure(task.error),
            last_error=None if task.status.ended else _failure(task.last_error),
            waiting_for=waiting,
            next_try_at=task.next_try_at if is_put_off else None,
            route=RouteDocument.of(task.route) if task.route else None,
            depends_on=list(task.depends_on),
            run_at=task.run_at,
            cancel_requested_at=task.cancel_requested_at,
            attempt=task.attempt,
            failures=task.failures,
            priority=PRIORITY_WORDS[task.priority],
            metadata=task.metadata,
            batch=task.batch_id,
            key=key,
            cost=CostDocument.of(task.cost) if task.cost and task.cost.is_known else None,
            environment=task.environment,
            created_at=task.created_at,
            started_at=task.started_at,
            finished_at=task.finished_at,
            retain_s=task.retain_s,
            urls=TaskUrls(self=url, events=links.events(task.id), cancel=f"{url}/cancel"),
        )


def _result(result: TaskResult, links: Links) -> object:
    shown: JsonValue = from_json(result.text_with_urls(links.content))
    return shown if tells_more(shown) else None


def _failure(failure: Failure | None) -> FailureDocument | None:
    return FailureDocument.of(failure) if failure else None


def unshown_results(tasks: Iterable[Task]) -> IncEx | None:
    """What is left out of an answer that holds many tasks: a page of results may have 25 MiB. None for nothing."""
    places = [place for place, task in enumerate(tasks) if task.has_unread_result or task.result is not None]
    return {"data": {place: {"result"} for place in places}} if places else None


class TaskPage(Document):
    """A page of tasks, newest first."""

    data: list[TaskDocument]
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last one."""


class TaskBatch(Document):
    """Tasks that were submitted together, in the order in which they were asked for."""

    id: UUID | None
    """The batch, for `/v1/batches/{id}`. Where every key was known it is the earlier one; null where those earlier
    tasks are of no batch, or of several."""
    data: list[TaskDocument]
    """One for each order."""
    replayed: list[int]
    """The places in `data`, from 0, of earlier tasks whose idempotency key was known. The others are new."""


class ProgressDocument(Document):
    """How far a task has come."""

    model_config = ConfigDict(title="Progress")

    task_id: UUID
    progress: float | None
    """0.0 to 1.0."""
    message: str | None
