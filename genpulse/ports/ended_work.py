"""The port of what has ended, for those who count it."""

from datetime import datetime
from typing import Protocol

from genpulse.domain.search.ended_work import EndedAttempts, EndedTasks, EndedWithin, TriedDeliveries


class EndedWork(Protocol):
    """What ended after `since` and not after `until`, counted where it is alike. Writes nothing.

    Who looks again from the `until` of the last answer on, and never beyond `settled_until`, counts everything
    once. An answer is about the first `limit` things and those that ended in the same moment as the last of these;
    its `until` is then that moment. All raise `DatabaseUnavailable`.
    """

    async def settled_until(self) -> datetime:
        """Up to which moment nothing can end any more, by the clock of the store."""

    async def tasks(self, since: datetime, until: datetime, limit: int) -> EndedWithin[EndedTasks]:
        """Tasks that are in an end state. One that was retried is measured from there on."""

    async def attempts(self, since: datetime, until: datetime, limit: int) -> EndedWithin[EndedAttempts]:
        """Attempts, also those of tasks that go on."""

    async def deliveries(self, since: datetime, until: datetime, limit: int) -> EndedWithin[TriedDeliveries]:
        """Messages whose last try was then, or that were given up then."""
