"""Batches as the API shows them, and what happens to them while they are watched."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.results.moment import moment_of
from genpulse_client.results.task import Task, task_of
from genpulse_client.sse import ServerEvent


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stood when the API was asked. `document` is all that the API said."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A UUIDv7: newer batches have higher ids."""
        return str(self.document["id"])

    @property
    def total(self) -> int:
        """With how many tasks it was queued."""
        return int(self.document["total"])

    @property
    def counts(self) -> Mapping[str, int]:
        """How many tasks stand how, by status; `deleted` are those that are not kept any more."""
        counts: Mapping[str, int] = self.document["counts"]
        return counts

    @property
    def ended(self) -> bool:
        """Nothing more happens by itself."""
        return bool(self.document["ended"])

    @property
    def retryable(self) -> int:
        """How many of the failed tasks can succeed when they run again."""
        return int(self.document.get("retryable", 0))

    @property
    def cost_usd(self) -> Decimal | None:
        """What its tasks have cost together, in US dollars, as far as that is known."""
        cost = self.document.get("cost")
        return Decimal(cost["amount_usd"]) if cost else None

    @property
    def created_at(self) -> datetime | None:
        """When it was submitted."""
        return moment_of(self.document.get("created_at"))

    @property
    def finished_at(self) -> datetime | None:
        """When the last task ended; None while one has not."""
        return moment_of(self.document.get("finished_at"))

    @property
    def done(self) -> int:
        """With how many tasks the call did what it was asked for; 0 where it was asked for nothing."""
        return int(self.document.get("done", 0))

    @property
    def left_out(self) -> Mapping[str, int]:
        """Of tasks with which that was not done: how many for which reason."""
        return {one["reason"]: one["count"] for one in self.document.get("left_out") or ()}


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """How the batch stands, or a `task` of it that has ended. After one that `is_last` nothing more comes."""

    id: str
    batch: Batch | None
    task: Task | None
    is_last: bool


def batch_of(document: Any) -> Batch:
    """A batch from its JSON. Raises `UnexpectedAnswer`."""
    if not isinstance(document, dict) or not {"id", "total", "counts", "ended"} <= set(document):
        raise UnexpectedAnswer("The answer is JSON, but no batch. Is the server older than this client?")
    return Batch(document)


def batches_of(document: Any) -> tuple[Batch, ...]:
    """The batches of a page. Raises `UnexpectedAnswer`."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        raise UnexpectedAnswer("The answer is JSON, but no list of batches. Is the server older than this client?")
    return tuple(batch_of(one) for one in data)


def batch_event_of(event: ServerEvent) -> BatchEvent | None:
    """An event of the stream; None for one that this client does not know. Raises `UnexpectedAnswer`."""
    if event.name not in {"batch", "end", "done"}:
        return None
    try:
        data = json.loads(event.data)
    except ValueError as error:
        raise UnexpectedAnswer(f"An event of the stream is no JSON: {event.data[:200]!r}") from error
    if event.name == "end":
        return BatchEvent(event.id, None, task_of(data), is_last=False)
    return BatchEvent(event.id, batch_of(data), None, is_last=event.name == "done")
