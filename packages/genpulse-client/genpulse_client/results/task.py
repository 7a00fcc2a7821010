"""Tasks as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.results.asset import Asset, asset_of
from genpulse_client.results.moment import moment_of
from genpulse_client.results.notebook import task_html

Status = Literal["queued", "running", "succeeded", "failed", "canceled"]
Priority = Literal["high", "normal", "low"]
ENDED = frozenset({"succeeded", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed. `charged` is `no`, `yes` or `maybe`; `who_must_act` names who has to do something."""

    code: str
    message: str
    retryable: bool
    charged: str
    who_must_act: str


@dataclass(frozen=True, slots=True)
class TaskWarning:
    """What is odd about a task that succeeded: a code such as `output_missing`, and words for people.

    `index` is which of the outputs that were asked for, from 0; None where it is about none of them.
    """

    code: str
    message: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a task does not go on without.

    `next_attempt`, `worker`, `provider`, `storage`, `database`, `task`, or the time `run_at`.
    """

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """What a task cost, in US dollars. `estimated` is True where the provider did not state it."""

    amount_usd: Decimal | None
    estimated: bool
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """A task as it stood when the API was asked. `document` is all that the API said."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A UUIDv7: newer tasks have higher ids."""
        return str(self.document["id"])

    @property
    def model(self) -> str:
        """`provider/name`."""
        return str(self.document.get("model", ""))

    @property
    def kind(self) -> str:
        """Such as `text-to-image`."""
        return str(self.document.get("kind", ""))

    @property
    def status(self) -> Status:
        """How far it is."""
        status: Status = self.document["status"]
        return status

    @property
    def ended(self) -> bool:
        """Nothing more happens by itself."""
        return self.status in ENDED

    @property
    def progress(self) -> float | None:
        """0.0 to 1.0; None when nothing is known."""
        progress: float | None = self.document.get("progress")
        return progress

    @property
    def input(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.document.get("input") or {}

    @property
    def outputs(self) -> tuple[Asset, ...]:
        """The files that it made."""
        return tuple(asset_of(one) for one in self.document.get("outputs") or ())

    @property
    def result(self) -> Any:
        """What the provider answered as JSON; None where it is files alone, and before the end.

        Each file in it is `{"$asset": id, "url": …}`, and None where it is missing. Tasks of lists and batches
        have None in any case: `get` the task.
        """
        return self.document.get("result")

    @property
    def metadata(self) -> Mapping[str, str]:
        """The caller's own words."""
        return self.document.get("metadata") or {}

    @property
    def route(self) -> Mapping[str, Any] | None:
        """The models that are tried in their order, and those that it left, as the API says it; None: just one."""
        return self.document.get("route")

    @property
    def events_url(self) -> str | None:
        """Where its events are, signed for an hour, so that a page reads them without a key; None: not said."""
        return (self.document.get("urls") or {}).get("events")

    @property
    def error(self) -> Failure | None:
        """Why it failed, or what nobody knows about the money of a canceled one; None where there is neither."""
        return _failure(self.document.get("error"))

    @property
    def last_error(self) -> Failure | None:
        """What the last attempt said, while the task has not ended."""
        return _failure(self.document.get("last_error"))

    @property
    def warnings(self) -> tuple[TaskWarning, ...]:
        """What is odd about its outputs; empty where all is well."""
        found = self.document.get("warnings") or ()
        return tuple(TaskWarning(one.get("code", ""), one.get("message", ""), one.get("index")) for one in found)

    @property
    def batch(self) -> str | None:
        """The id of the batch with which it was submitted; None for one alone."""
        batch: str | None = self.document.get("batch")
        return batch

    @property
    def retain_s(self) -> int | None:
        """Seconds after its end for which it is kept; None: as long as the installation keeps tasks."""
        retain_s: int | None = self.document.get("retain_s")
        return retain_s

    @property
    def cost(self) -> Cost | None:
        """What it cost; None where nothing is known."""
        amounts = self.document.get("cost")
        if not amounts:
            return None
        settled = amounts.get("settled_usd")
        amount = next(
            (amounts[name] for name in ("settled_usd", "amount_usd", "reserved_usd") if amounts.get(name)), None
        )
        estimated = bool(amounts.get("estimated", settled is None or amounts.get("source") == "rule"))
        return Cost(None if amount is None else Decimal(amount), estimated, amounts)

    @property
    def attempt(self) -> int:
        """How many attempts have begun."""
        return int(self.document.get("attempt", 0))

    @property
    def priority(self) -> Priority:
        """Of two tasks that wait, the one with the higher priority starts first."""
        priority: Priority = self.document.get("priority", "normal")
        return priority

    @property
    def waiting_for(self) -> Waiting | None:
        """What it does not go on without; None when it goes on, or has ended."""
        found = self.document.get("waiting_for")
        since = moment_of(found["since"]) if found else None
        return Waiting(found["what"], since) if found and since else None

    @property
    def next_try_at(self) -> datetime | None:
        """When the next attempt is due, or the first one where it is put off; None unless it waits for that."""
        return moment_of(self.document.get("next_try_at"))

    @property
    def run_at(self) -> datetime | None:
        """Before when it was not to begin; None where it was to begin at once."""
        return moment_of(self.document.get("run_at"))

    @property
    def cancel_requested_at(self) -> datetime | None:
        """When somebody first asked that it stops. It may still end otherwise."""
        return moment_of(self.document.get("cancel_requested_at"))

    @property
    def created_at(self) -> datetime:
        """When it was submitted. Raises `UnexpectedAnswer` where the answer does not say."""
        created_at = moment_of(self.document.get("created_at"))
        if created_at is None:
            raise UnexpectedAnswer(f"Task {self.id} has no created_at.")
        return created_at

    @property
    def started_at(self) -> datetime | None:
        """When its first attempt began."""
        return moment_of(self.document.get("started_at"))

    @property
    def finished_at(self) -> datetime | None:
        """When it ended."""
        return moment_of(self.document.get("finished_at"))

    def __repr__(self) -> str:
        """Without its input, which may be long."""
        progress = "" if self.progress is None else f", progress={self.progress}"
        about = f"id={self.id!r}, model={self.model!r}, status={self.status!r}{progress}"
        return f"Task({about}, outputs={self.outputs!r})"

    def _repr_html_(self) -> str:
        """How notebooks show it: a line, and what it made."""
        words = f"{self.error.code}: {self.error.message}" if self.error else ""
        media = tuple(asset._repr_html_() for asset in self.outputs)
        return task_html(self.id, self.model, self.status, words, media)


def task_of(document: Any) -> Task:
    """A task from its JSON. Raises `UnexpectedAnswer`."""
    if not isinstance(document, dict) or not isinstance(document.get("id"), str) or "status" not in document:
        raise UnexpectedAnswer("The answer is JSON, but no task. Is that the address of GenPulse?")
    return Task(document)


def tasks_of(document: Any) -> tuple[Task, ...]:
    """The tasks of a page or a batch. Raises `UnexpectedAnswer`."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        raise UnexpectedAnswer("The answer is JSON, but no list of tasks. Is that the address of GenPulse?")
    return tuple(task_of(one) for one in data)


def _failure(error: Mapping[str, Any] | None) -> Failure | None:
    if not error:
        return None
    return Failure(
        error.get("code", "internal"),
        error.get("message", ""),
        bool(error.get("retryable", False)),
        error.get("charged", "maybe"),
        error.get("who_must_act", "nobody"),
    )
