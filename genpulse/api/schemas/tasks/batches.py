"""Batches as callers see them."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import ConfigDict, Field

from genpulse.api.schemas.document import Document, Time
from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.actions import LeftOutDocument, left_out
from genpulse.api.schemas.tasks.documents import CostDocument
from genpulse.domain.task import TaskStatus
from genpulse.domain.task_batch import TaskBatch
from genpulse.lifecycle.bulk_actions import BulkProgress


class BatchCounts(Document):
    """How many tasks of a batch stand how."""

    queued: int
    running: int
    succeeded: int
    failed: int
    canceled: int
    deleted: int
    """Those that are not kept any more."""

    @classmethod
    def of(cls, batch: TaskBatch) -> "BatchCounts":
        """From the domain's value."""
        counts: Mapping[str, int] = {status.value: batch.statuses.get(status, 0) for status in TaskStatus}
        return cls(**counts, deleted=batch.removed)


class BatchUrls(Document):
    """Where to go from here."""

    self: str
    tasks: str
    """Its tasks, a page at a time."""
    events: str
    """Server-Sent Events. It needs an API key: it shows all tasks, which may be those of several people."""
    cancel: str
    """POST here to ask that all its tasks stop."""
    retry: str
    """POST here to run those again that failed and can succeed."""

    @classmethod
    def of(cls, batch: TaskBatch, links: Links) -> "BatchUrls":
        """As this caller can reach them."""
        url = links.batch(batch.id)
        return cls(
            self=url,
            tasks=f"{links.base}/v1/tasks?batch={batch.id}",
            events=f"{url}/events",
            cancel=f"{url}/cancel",
            retry=f"{url}/retry",
        )


class BatchStandingDocument(Document):
    """A batch as it stands: tasks that were submitted together."""

    model_config = ConfigDict(title="BatchStanding")

    id: UUID
    """A UUIDv7: newer batches have higher ids."""
    total: int = Field(examples=[1000])
    """With how many tasks it was queued."""
    counts: BatchCounts
    ended: bool
    """Whether no task is queued or running."""
    retryable: int
    """How many of the failed tasks can succeed when they run again."""
    cost: CostDocument | None
    """What its tasks have cost together, as far as that is known; null where nothing is."""
    environment: str = Field(examples=["dev"])
    created_at: Time
    finished_at: Time | None
    """When the last task ended; null while one has not."""
    urls: BatchUrls

    @classmethod
    def of(cls, batch: TaskBatch, links: Links) -> "BatchStandingDocument":
        """From the domain's value."""
        return cls(
            id=batch.id,
            total=batch.size,
            counts=BatchCounts.of(batch),
            ended=batch.ended,
            retryable=batch.retryable,
            cost=CostDocument.of(batch.cost) if batch.cost else None,
            environment=batch.environment,
            created_at=batch.created_at,
            finished_at=batch.finished_at,
            urls=BatchUrls.of(batch, links),
        )


class BatchPage(Document):
    """A page of batches, newest first."""

    data: list[BatchStandingDocument]
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last one."""


class BatchActionOutcome(BatchStandingDocument):
    """What was done with the tasks of a batch, and how it stands after that."""

    model_config = ConfigDict(title="BatchActionOutcome")

    done: int
    """With how many tasks it was done."""
    left_out: list[LeftOutDocument]
    """Tasks with which it was not done. Those that had ended, or had not failed, are not counted."""

    @classmethod
    def after(cls, batch: TaskBatch, progress: BulkProgress, links: Links) -> "BatchActionOutcome":
        """From the domain's values."""
        standing = dict(BatchStandingDocument.of(batch, links))
        return cls(**standing, done=progress.done, left_out=left_out(progress.left_out.items()))
