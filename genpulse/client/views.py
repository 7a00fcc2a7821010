"""Tasks, assets and events as callers see them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ENDED = {"succeeded", "failed", "canceled"}


@dataclass(frozen=True, slots=True)
class AssetView:
    """A file of a task. `size` in bytes, `width` and `height` in pixels, `duration_s` in seconds."""

    id: str
    url: str
    media_type: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What a task does not go on without: `next_attempt`, `worker`, `provider`, `storage` or `database`."""

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WarningView:
    """What is odd about a task that succeeded: a code such as `output_missing`, and words for people.

    `index` is which of the outputs that were asked for, from 0; None where it is about none of them.
    """

    code: str
    message: str
    index: int | None


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as the API shows it; `document` is all of it."""

    id: str
    model: str
    status: str
    progress: float | None
    outputs: tuple[AssetView, ...]
    document: Mapping[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        """Nothing more happens by itself."""
        return self.status in ENDED

    @property
    def waiting_for(self) -> WaitingView | None:
        """What it does not go on without; None when it goes on, or has ended."""
        found = self.document.get("waiting_for")
        return WaitingView(found["what"], datetime.fromisoformat(found["since"])) if found else None

    @property
    def next_try_at(self) -> datetime | None:
        """When the next attempt is due; None unless it waits for that."""
        return moment_of(self.document.get("next_try_at"))

    @property
    def cancel_requested_at(self) -> datetime | None:
        """When somebody first asked that it stops. It may still end otherwise."""
        return moment_of(self.document.get("cancel_requested_at"))

    @property
    def warnings(self) -> tuple[WarningView, ...]:
        """What is odd about its outputs; empty where all is well."""
        found = self.document.get("warnings") or ()
        return tuple(WarningView(one["code"], one["message"], one.get("index")) for one in found)

    @property
    def error(self) -> Mapping[str, Any] | None:
        """Why it failed, or what nobody knows about the money of a canceled one; None where there is neither."""
        return self.document.get("error")

    @property
    def last_error(self) -> Mapping[str, Any] | None:
        """What the last try said, while the task has not ended."""
        return self.document.get("last_error")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a task: the task as it stands, or how far it has come (0.0 to 1.0)."""

    id: str
    task: TaskView | None
    progress: float | None
    message: str | None


def task_of(document: Mapping[str, Any]) -> TaskView:
    outputs = tuple(asset_of(output) for output in document["outputs"])
    return TaskView(document["id"], document["model"], document["status"], document["progress"], outputs, document)


def moment_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def asset_of(document: Mapping[str, Any]) -> AssetView:
    return AssetView(
        document["id"],
        document["url"],
        document["media_type"],
        document["bytes"],
        document["sha256"],
        document["width"],
        document["height"],
        document["duration_s"],
    )


def event_of(fields: Mapping[str, str]) -> Event:
    data = json.loads(fields["data"])
    if fields.get("event") == "progress":
        return Event(fields.get("id", "0"), None, data["progress"], data.get("message"))
    return Event(fields.get("id", "0"), task_of(data), None, None)
