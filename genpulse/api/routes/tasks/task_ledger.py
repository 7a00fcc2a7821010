"""The route of what is entered about a task in the ledger."""

from datetime import date

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in, task_for
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks.tasks import TASK_PATH, TaskId
from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.domain.money.cost import CostFlag
from genpulse.domain.money.ledger import AmountSource, Balance, EntryKind, LedgerEntry

routes = encoded.router("tasks")


class LedgerEntryDocument(Document):
    """One entry about a task; it never changes."""

    model_config = ConfigDict(title="LedgerEntry")

    kind: EntryKind = Field(examples=["settled"])
    """`reserved`: may be spent. `settled`: is spent, of what is reserved. `released`: is reserved no longer, and
    was not spent. `refunded`: was settled, and is given back."""
    amount_usd: Amount
    attempt: int
    """The number of the attempt; 0 before the first one."""
    day: date
    """The day (UTC) on which it counts."""
    provider: str = Field(examples=["sandbox"])
    model: str = Field(examples=["sandbox/image"])
    source: AmountSource = Field(examples=["vendor"])
    """`vendor`: the vendor says so. `rule`: it was computed, by the model's price from what the vendor counted, or
    by the provider. `price`: the most that it can cost. `opening`: the price of a task that is older than the
    ledger."""
    rule_version: str | None = Field(examples=["code"])
    """The version of the price rule; null where the amount is not by a price."""
    flag: CostFlag | None
    """What is odd about the amount. `unsure`: nobody knows whether it was charged. Else what the vendor said is
    not taken: it was `not_a_number`, `negative`, `absurd` (above ten times the price) or in another `currency`."""
    reported: str | None
    """What the vendor said, where that is not taken."""
    created_at: Time

    @classmethod
    def of(cls, entry: LedgerEntry) -> "LedgerEntryDocument":
        """From the domain's value."""
        return cls(
            kind=entry.kind,
            amount_usd=entry.amount_usd,
            attempt=entry.attempt,
            day=entry.day,
            provider=entry.provider,
            model=entry.model,
            source=entry.source,
            rule_version=entry.rule_version or None,
            flag=entry.flag,
            reported=entry.reported,
            created_at=entry.created_at,
        )


class LedgerPage(Document):
    """All entries about a task, oldest first, and what they come to."""

    model_config = ConfigDict(title="Ledger")

    data: list[LedgerEntryDocument]
    cost_usd: Amount
    """What it cost: settled, and not refunded."""
    open_usd: Amount
    """What is still reserved; 0 once the task has ended."""


@routes.get(
    f"{TASK_PATH}/ledger",
    summary="List what a task reserved and cost",
    responses=encoded.described(200, "Its entries, oldest first", LedgerPage) | encoded.refusals(404),
)
async def list_ledger(request: Request, task_id: TaskId) -> Response:
    """What was reserved, settled, released and refunded for a task; empty where it has no price and no cost."""
    await task_for(request, task_id)
    entries = await context_in(request.scope).services.store.ledger(task_id)
    balance = Balance.of(entries)
    data = [LedgerEntryDocument.of(entry) for entry in entries]
    return encoded.json(LedgerPage(data=data, cost_usd=balance.cost_usd, open_usd=balance.open_usd))
