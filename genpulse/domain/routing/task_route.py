"""The route of one task: the models that it may go to, where it stands, and which ones it has left."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from genpulse.domain.failure import Charged, Failure, FailureCode
from genpulse.domain.json.value import JsonObject

CIRCUIT_OPEN = "circuit_open"
"""Why a model was left that was never asked: its provider is left alone at present."""


_NOT_ASKED = "It was not asked, since it may not be at present."


@dataclass(frozen=True, slots=True)
class RouteTarget:
    """A model that a task may go to.

    `input` is the order's input as this model takes it, None where that is the order's own. One call costs at most
    `price_usd` US dollars, None when nobody knows; `rule_version` is that of the rule which says so. `dropped` are
    fields of the order that it has no place for.
    """

    model: str
    input: JsonObject | None = None
    price_usd: Decimal | None = None
    dropped: tuple[str, ...] = ()
    rule_version: str = ""

    @property
    def provider(self) -> str:
        """The name of its provider."""
        return self.model.partition("/")[0]


@dataclass(frozen=True, slots=True)
class RouteHop:
    """That a task left a model for the next one: after which attempt (0: before any), when and why.

    `code` is that of the failure, or `CIRCUIT_OPEN`. `charged`: whether the vendor that was left took money.
    """

    model: str
    attempt: int
    code: str
    message: str
    at: datetime
    charged: Charged = Charged.NO


@dataclass(frozen=True, slots=True)
class TaskRoute:
    """The targets of a task in the order in which they are tried; it is at `place`, and has made the `hops`.

    `name` is that of the route, empty where the order listed models.
    """

    name: str
    targets: tuple[RouteTarget, ...]
    on: frozenset[FailureCode]
    place: int = 0
    hops: tuple[RouteHop, ...] = ()

    @property
    def current(self) -> RouteTarget:
        """The target at which the task is."""
        return self.targets[self.place]

    @property
    def rest(self) -> tuple[RouteTarget, ...]:
        """The targets further on."""
        return self.targets[self.place + 1 :]

    @property
    def price_usd(self) -> Decimal | None:
        """What a call costs at most at the dearest of the targets, in US dollars; None when nobody knows."""
        return max((target.price_usd for target in self.targets if target.price_usd is not None), default=None)

    def leaves_after(self, failure: Failure) -> bool:
        """Whether the task goes on at the next target after this failure.

        A failure that the vendor may have taken money for is one only where it is a refusal of what was asked:
        then nothing was made that could be paid for twice.
        """
        if failure.code not in self.on or not self.rest:
            return False
        return failure.charged is Charged.NO or failure.code is FailureCode.MODERATION_BLOCKED

    def left_for_next(self, why: RouteHop, askable: Collection[str]) -> "TaskRoute":
        """The route after the hop: at the next of the models that may be asked, else at the next one.

        Those between are noted as left, too. Raises `IndexError` at the last target.
        """
        later = range(self.place + 1, len(self.targets))
        place = next((one for one in later if self.targets[one].model in askable), later[0])
        skipped = [
            RouteHop(self.targets[one].model, why.attempt, CIRCUIT_OPEN, _NOT_ASKED, why.at)
            for one in range(later[0], place)
        ]
        return replace(self, place=place, hops=(*self.hops, why, *skipped))
