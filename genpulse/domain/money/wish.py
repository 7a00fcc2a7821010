"""What tasks that are to be queued want of each limit, and whether it fits into what is counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from genpulse.domain.money.allowance import (
    ENVIRONMENT,
    Allowance,
    BudgetScope,
    LimitUse,
    Measure,
    ScopeKind,
    ScopeUsage,
)
from genpulse.domain.money.limit_refusal import LimitRefusal, refusal_of
from genpulse.domain.money.spending import AnyTask, SpendingLimits, price_of


@dataclass(frozen=True, slots=True)
class Today:
    """What is counted at a moment, by the names of the counters that somebody asks for."""

    now: datetime
    usage: Mapping[str, ScopeUsage] = field(default_factory=dict)

    @property
    def spent_usd(self) -> Decimal:
        """What the tasks of all have come to today, in US dollars."""
        return self.usage_of(ENVIRONMENT.counter).today_usd

    def usage_of(self, counter: str) -> ScopeUsage:
        """What was done; nothing, where nothing is known."""
        return self.usage.get(counter) or ScopeUsage()


@dataclass(frozen=True, slots=True)
class Demand:
    """So many tasks and US dollars more for one scope, and how much it may have."""

    scope: BudgetScope
    allowance: Allowance
    usd: Decimal
    tasks: int

    def misfit(self, today: Today, *, again: bool) -> LimitUse | None:
        """The first of its limits that would be passed. What costs nothing passes no limit of money."""
        for use in self.allowance.uses(self.scope, today.usage_of(self.scope.counter), today.now):
            more = self._more(use, again=again)
            if more and use.used + more > use.limit:
                return use
        return None

    def _more(self, use: LimitUse, *, again: bool) -> Decimal:
        match use.measure:
            case Measure.USD:
                return self.usd
            case Measure.TASKS:
                return Decimal(0 if again else self.tasks)
            case Measure.ACTIVE_TASKS:
                return Decimal(self.tasks)


@dataclass(frozen=True, slots=True)
class Wish:
    """What tasks want that are to be queued together or not at all, of each scope in which they are counted.

    They were submitted before where `again` is set.
    """

    demands: tuple[Demand, ...]
    again: bool = False

    @classmethod
    def of(
        cls, tasks: Sequence[AnyTask], limits: SpendingLimits, *, again: bool = False, queued: bool = True
    ) -> "Wish":
        """The wish to queue these tasks of one owner; without `queued`, to pay for them alone."""
        counted: dict[BudgetScope, list[AnyTask]] = {}
        for task in tasks:
            owner = (BudgetScope(ScopeKind.KEY, task.owner),) if task.owner else ()
            for scope in (ENVIRONMENT, *owner, *limits.extra_scopes(task)):
                counted.setdefault(scope, []).append(task)
        return cls(tuple(_demands(counted, limits, queued=queued)), again)

    @property
    def counters(self) -> frozenset[str]:
        """The counters that tell whether it fits."""
        return frozenset(demand.scope.counter for demand in self.demands if demand.allowance.limits_anything)

    def refusal(self, today: Today) -> LimitRefusal | None:
        """Why they do not fit into what is left, None when they do."""
        for demand in self.demands:
            if (use := demand.misfit(today, again=self.again)) is not None:
                return refusal_of(use, today.now, usd=demand.usd, tasks=demand.tasks)
        return None

    def added(self, today: Today, sign: int = 1) -> Today:
        """What is counted with them, or without them where `sign` is -1."""
        usage = dict(today.usage)
        for demand in self.demands:
            counter, tasks = demand.scope.counter, demand.tasks * sign
            usage[counter] = today.usage_of(counter).added(
                active_tasks=tasks, today_tasks=0 if self.again else tasks, usd=demand.usd * sign
            )
        return replace(today, usage=usage)


def _demands(
    counted: Mapping[BudgetScope, Sequence[AnyTask]], limits: SpendingLimits, *, queued: bool
) -> Iterator[Demand]:
    for scope in sorted(counted, key=lambda scope: (_ORDER[scope.kind], scope.name)):
        tasks = counted[scope]
        yield Demand(scope, limits.allowance_of(scope), price_of(tasks), len(tasks) if queued else 0)


_ORDER = {kind: number for number, kind in enumerate(ScopeKind)}


def joined(parts: Iterable[tuple[Sequence[AnyTask], SpendingLimits]]) -> tuple[Wish, ...]:
    """What all these tasks want, by one wish for those of an owner who has the same limits each time.

    No part is empty, and the tasks of each are of one owner.
    """
    of_owners: dict[tuple[str, UUID | None], list[tuple[SpendingLimits, list[AnyTask]]]] = {}
    for tasks, limits in parts:
        of_owner = of_owners.setdefault((tasks[0].owner, tasks[0].client_token), [])
        together = next((earlier for same, earlier in of_owner if same == limits), None)
        if together is None:
            of_owner.append((limits, list(tasks)))
        else:
            together += tasks
    return tuple(Wish.of(together, limits) for of_owner in of_owners.values() for limits, together in of_owner)


def fit_together(today: Today, wishes: Sequence[Wish]) -> bool:
    """Whether nothing is refused, be the tasks that they are of asked for together or one by one."""
    return not any(refusals(today, wishes))


def refusals(today: Today, wishes: Sequence[Wish]) -> list[LimitRefusal | None]:
    """Why each does not fit, None for those that do: one after the other is added as long as there is room."""
    answers: list[LimitRefusal | None] = []
    for wish in wishes:
        refusal = wish.refusal(today)
        answers.append(refusal)
        if refusal is None:
            today = wish.added(today)
    return answers
