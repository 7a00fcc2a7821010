"""A copy of a database starts without anything that would act again what the original does."""

from dataclasses import dataclass

import asyncpg
from pydantic_core import to_json

from genpulse.adapters.database.tasks.rows import failure_document
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode

_COLUMNS = """
SELECT table_name || '.' || column_name AS name
FROM information_schema.columns WHERE table_schema = current_schema()
"""
_OPEN = (
    "lease",
    "ticket",
    "order_reference",
    "order_account",
    "order_sent_at",
    "order_job_id",
    "order_stop_at",
    "order_settled_usd",
    "order_settled_day",
    "waiting_for",
    "waiting_since",
    "next_try_at",
)
_ALL_ROWS = (
    "queue",
    "pgqueuer.pgqueuer",
    "workers",
    "spending",
    "budget_warnings",
    "ledger",
    "ledger_sums",
    "ledger_mark",
    "doomed_objects",
    "message_keys",
    "client_tokens",
)
_WAITING = "deliveries WHERE next_try_at IS NOT NULL"
_SIGN_ANEW = """
UPDATE signing_secret SET secret = (
    SELECT substring(sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) FOR 32)
    FROM generate_series(1, 4)
)
"""


@dataclass(frozen=True, slots=True)
class Emptied:
    """How many live tasks were ended, waiting messages and API keys removed."""

    tasks: int
    messages: int
    keys: int

    def __str__(self) -> str:
        return f"{self.tasks} live tasks ended, {self.messages} waiting webhooks and {self.keys} API keys removed"


async def empty(connection: asyncpg.Connection) -> Emptied:
    """End what lives, and remove what waits and who may call. To be called in a transaction.

    What has ended stays, with its assets; what is open at a vendor is the original's and is forgotten here. It
    works on the tables of older versions, too. Raises what the driver raises.
    """
    columns = {row["name"] for row in await connection.fetch(_COLUMNS)}
    messages = await _deleted(connection, _WAITING)
    tasks = await _end_tasks(connection, columns)
    await connection.execute(
        "UPDATE attempts SET status = 'abandoned', finished_at = now() WHERE status = 'running'"
    )
    # A trigger has written messages about these ends.
    await _deleted(connection, _WAITING)
    for table in _ALL_ROWS:
        if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
            await _deleted(connection, table)
    keys = 0
    if "api_keys.id" in columns:
        keys = await _deleted(connection, "api_keys")
        await connection.execute(_SIGN_ANEW)
    return Emptied(tasks, messages, keys)


async def _end_tasks(connection: asyncpg.Connection, columns: set[str]) -> int:
    reset = "".join(f", {name} = NULL" for name in _OPEN if f"tasks.{name}" in columns)
    statement = (
        "UPDATE tasks SET status = 'failed', finished_at = now(), seq = seq + 1, error = $1::text::jsonb"  # noqa: S608
        f"{reset} WHERE finished_at IS NULL"
    )
    count = _count(await connection.execute(statement, to_json(failure_document(_FAILURE)).decode()))
    if "tasks.order_reference" in columns:
        orders = [name for name in _OPEN if name.startswith("order_") and f"tasks.{name}" in columns]
        forgotten = ", ".join(f"{name} = NULL" for name in orders)
        await connection.execute(f"UPDATE tasks SET {forgotten} WHERE order_reference IS NOT NULL")  # noqa: S608
    return count


async def _deleted(connection: asyncpg.Connection, rows: str) -> int:
    return _count(await connection.execute(f"DELETE FROM {rows}"))  # noqa: S608 - our own tables


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])


_FAILURE = Failure(
    code=FailureCode.FOREIGN_ENVIRONMENT,
    message="This is a copy of the database in which the task was submitted; it is run there and not here.",
    retryable=False,
    charged=Charged.NO,
    who_must_act=Actor.NOBODY,
)
