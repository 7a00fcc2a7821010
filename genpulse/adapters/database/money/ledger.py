"""Reading the ledger."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements import ledger
from genpulse.adapters.database.tasks.rows import Row, entry_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.money.ledger import EntryKind, LedgerEntry, MoneyFlow, MoneyFlows

_SLACK = timedelta(hours=1)
"""An entry that is so much older than the first look may be of another cluster, which numbers otherwise."""


class LedgerReader:
    """Entries of one task, and what comes in.

    Numbers of entries are given before they are committed, so that a lower one may come later. Those of
    transactions are read up to the oldest one that is still open.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._since: datetime | None = None

    async def entries(self, task_id: UUID) -> tuple[LedgerEntry, ...]:
        """All about a task, oldest first."""
        with outages():
            return tuple(entry_of(row) for row in await self._pool.fetch(ledger.ENTRIES, task_id))

    async def flows(self, mark: int | None) -> MoneyFlows:
        """What was entered since the mark of an earlier look."""
        with outages():
            if self._since is None:
                self._since = await self._pool.fetchval("SELECT now()") - _SLACK
            if mark is None:
                return MoneyFlows(await self._pool.fetchval(ledger.HORIZON))
            rows = await self._pool.fetch(ledger.FLOWS, mark, self._since)
        return MoneyFlows(rows[-1]["horizon"], tuple(_flow_of(row) for row in rows if row["kind"]))


def _flow_of(row: Row) -> MoneyFlow:
    return MoneyFlow(EntryKind(row["kind"]), row["provider"], row["model"], row["amount_usd"])
