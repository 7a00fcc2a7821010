"""Actions on many tasks: what is asked for, and what is answered."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from genpulse.api.schemas.document import Amount, Document
from genpulse.api.schemas.tasks.filter import TaskFilterDocument
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.bulk_actions import BulkAction, BulkProgress, Count

CONFIRM_LENGTH = 89
"""Characters that a token which confirms an action may have."""


class TaskActionDocument(BaseModel):
    """What is to be done with which tasks. Fields that are not listed are refused."""

    model_config = ConfigDict(title="TaskAction", extra="forbid", frozen=True, hide_input_in_errors=True)

    action: BulkAction = Field(examples=["cancel"])
    filter: TaskFilterDocument = Field(
        default_factory=TaskFilterDocument,
        description="Which tasks; a filter that all of them fit needs `all`",
        examples=[{"status": "queued", "metadata": {"customer": "acme"}}],
    )
    all: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Every task is meant, where the filter leaves none out"
    )
    confirm: Annotated[str, StringConstraints(min_length=1, max_length=CONFIRM_LENGTH)] | None = Field(
        None,
        json_schema_extra={"pattern": r"^[^\u0000]*$"},
        description="The `confirm` of the answer to the same body without it, which counts; with it, it is done",
    )


class LeftOutDocument(Document):
    """Tasks with which nothing is done."""

    model_config = ConfigDict(title="LeftOut")

    reason: str = Field(examples=["not_retryable"])
    """`ended`, `not_failed`: they stand otherwise. `not_retryable`: the same would fail again; name the `code` in
    the filter to do it all the same. `unknown_outcome`: it may be paid for twice; the same holds.
    `may_be_charged`: nobody can be asked what became of the order. `changed_since`: they were run again after the
    count. Or the code of the refusal of one task, such as `budget_exceeded`, `provider_not_configured` or
    `paid_provider_refused`."""
    count: int


class TaskActionOutcome(Document):
    """What would be done, or what was done."""

    action: BulkAction
    count: int | None
    """With how many tasks it would be done; null where it was done."""
    done: int | None
    """With how many tasks it was done by this call; null where it was counted."""
    statuses: Mapping[TaskStatus, int]
    """Those that were counted, by status."""
    price_usd: Amount | None
    """What running them again costs at most, in US dollars, by their prices; null unless they are run again."""
    unpriced: int
    """Of how many of them nobody knows the price."""
    cost_usd: Amount | None
    """What has been paid for them, as far as that is known; null where it was done."""
    left_out: list[LeftOutDocument]
    """Tasks that fit the filter, and with which nothing is done."""
    confirm: str | None
    """With this, within 15 minutes, the same body does what was counted. Where one call does not come to the end,
    it goes on with the next one's; null where there is nothing more to do."""

    @classmethod
    def counted(cls, action: BulkAction, count: Count, confirm: str | None) -> "TaskActionOutcome":
        """What would be done."""
        runs_again = action is BulkAction.RETRY
        return cls(
            action=action,
            count=count.total,
            done=None,
            statuses=count.statuses,
            price_usd=count.price_usd if runs_again else None,
            unpriced=count.unpriced if runs_again else 0,
            cost_usd=count.cost_usd,
            left_out=left_out(count.left_out.items()),
            confirm=confirm,
        )

    @classmethod
    def after(cls, action: BulkAction, progress: BulkProgress, confirm: str | None) -> "TaskActionOutcome":
        """What was done."""
        return cls(
            action=action,
            count=None,
            done=progress.done,
            statuses={},
            price_usd=None,
            unpriced=0,
            cost_usd=None,
            left_out=left_out(progress.left_out.items()),
            confirm=confirm,
        )


def left_out(reasons: Iterable[tuple[str, int]]) -> list[LeftOutDocument]:
    """Those with a reason, the most first."""
    most_first = sorted(reasons, key=lambda reason: (-reason[1], reason[0]))
    return [LeftOutDocument(reason=reason, count=count) for reason, count in most_first if count]
