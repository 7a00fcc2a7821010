"""What happens to queue entries inside somebody else's transaction."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from genpulse.adapters.queue import statements
from genpulse.adapters.queue.notices import CANCELED
from genpulse.adapters.queue.schema import CHANNEL, STATEMENTS, queries


class QueueEntries:
    """Changes to the queue on the caller's connection: they commit together with what else it writes.

    PgQueuer's log is left out where PgQueuer's own statements are: what has become of a task is in its attempts.
    """

    adding = statements.ADD
    settling = statements.SETTLE_DONE

    async def add(self, connection: asyncpg.Connection, entries: Sequence[tuple[str, UUID, int]]) -> None:
        """An entry for each (provider, task id, priority), due now."""
        if entries:
            await queries(AsyncpgDriver(connection)).enqueue(
                [provider for provider, _, _ in entries],
                [task_id.bytes for _, task_id, _ in entries],
                [priority for _, _, priority in entries],
            )

    async def settle(self, connection: asyncpg.Connection, tickets: Sequence[int]) -> None:
        """Remove entries; unknown ones are no error."""
        if tickets:
            await connection.execute(statements.SETTLE, tickets)

    async def postpone(self, connection: asyncpg.Connection, ticket: int, delay_s: float) -> None:
        """Let an entry wait again, as a new one; unknown ones are no error."""
        await connection.execute(statements.AS_NEW, ticket)
        await connection.execute(STATEMENTS.build_retry_job_query(), ticket, timedelta(seconds=delay_s), None)
        if delay_s <= 0:
            await _announce_work(connection)

    async def release(self, connection: asyncpg.Connection, ticket: int) -> None:
        """Let another worker go on with what has begun; unknown ones are no error."""
        await connection.execute(STATEMENTS.build_retry_job_query(), ticket, timedelta(), None)
        await connection.execute(statements.AS_BEGUN, ticket)
        await _announce_work(connection)

    async def announce_cancellation(self, connection: asyncpg.Connection, task_id: UUID) -> None:
        """Tell the workers once the transaction is committed."""
        await connection.execute("SELECT pg_notify($1, $2)", CANCELED, str(task_id))


async def _announce_work(connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, '{"operation": "insert"}')
