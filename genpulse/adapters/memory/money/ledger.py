"""The ledger in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from genpulse.domain.money.cost import CostFlag
from genpulse.domain.money.ledger import AmountSource, EntryKind, LedgerEntry, MoneyFlow, MoneyFlows
from genpulse.domain.task import Task


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to the money of a task on a day, in US dollars.

    `usd` is by how much what counts has changed but for refunds; `settled_usd` was settled, and `refunded_usd`
    of `refunded_day` given back. `rule_version` is that of the price of the model that was asked, None where it is
    the one with which the task began; `cost_version` the one by which a cost was computed.
    """

    day: date
    usd: Decimal
    settled_usd: Decimal = Decimal(0)
    refunded_usd: Decimal = Decimal(0)
    refunded_day: date | None = None
    source: AmountSource = AmountSource.PRICE
    flag: CostFlag | None = None
    reported: str | None = None
    rule_version: str | None = None
    cost_version: str = ""


class MemoryEntries:
    """Entries in the order in which they were made."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._rules: dict[UUID, str] = {}
        self._dropped = 0
        self.all: list[LedgerEntry] = []

    def begin(self, task: Task, rule_version: str, day: date) -> None:
        """Reserve the price of a new task, which is by this version of a rule."""
        self._rules[task.id] = rule_version if task.price_usd else ""
        self.enter(task, Change(day, task.price_usd or Decimal(0)))

    def enter(self, task: Task, change: Change) -> None:
        """Enter what happened."""
        self.all += self._entries(task, change)

    def _entries(self, task: Task, change: Change) -> Iterator[LedgerEntry]:
        price, source = AmountSource.PRICE, change.source
        amounts = (
            (EntryKind.REFUNDED, change.refunded_usd, change.refunded_day or change.day, price),
            (EntryKind.RESERVED, change.usd, change.day, source),
            (EntryKind.SETTLED, change.settled_usd, change.day, source),
            (EntryKind.RELEASED, -change.usd, change.day, price),
        )
        for kind, usd, day, origin in amounts:
            is_settled = kind is EntryKind.SETTLED
            if usd > 0 or (is_settled and change.reported is not None):
                yield LedgerEntry(
                    task.id,
                    kind,
                    usd,
                    task.attempt,
                    task.provider,
                    task.model,
                    task.owner,
                    task.environment,
                    day,
                    origin,
                    self._now(),
                    rule_version=self._version(task, kind, change) if origin is price else change.cost_version,
                    flag=change.flag if is_settled else None,
                    reported=change.reported if is_settled else None,
                )

    def _version(self, task: Task, kind: EntryKind, change: Change) -> str:
        is_of_model = change.rule_version is not None and kind is not EntryKind.RELEASED
        return change.rule_version or "" if is_of_model else self._rules[task.id]

    def of_task(self, task_id: UUID) -> tuple[LedgerEntry, ...]:
        """All about a task."""
        return tuple(entry for entry in self.all if entry.task_id == task_id)

    def flows(self, mark: int | None) -> MoneyFlows:
        """What was entered since the mark of an earlier look."""
        new = [] if mark is None else sorted(self.all[max(mark - self._dropped, 0) :], key=_model_of)
        flows = (
            MoneyFlow(kind, provider, model, sum((entry.amount_usd for entry in entries), Decimal(0)))
            for (kind, provider, model), entries in groupby(new, key=_model_of)
        )
        return MoneyFlows(self._dropped + len(self.all), tuple(flows))

    def drop(self, gone: Callable[[LedgerEntry], bool], limit: int) -> int:
        """Forget the oldest entries that are to go, at most so many; returns how many."""
        old = [entry for entry in self.all if gone(entry)][:limit]
        self.all = [entry for entry in self.all if not any(entry is one for one in old)]
        self._dropped += len(old)
        return len(old)


def _model_of(entry: LedgerEntry) -> tuple[EntryKind, str, str]:
    return entry.kind, entry.provider, entry.model
