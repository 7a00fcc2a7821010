"""A database in which cases are played, and what its rows say: all that knows the core's tables."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import uuid_utils.compat

from genpulse.adapters.database.schema.migrate import upgrade
from tests.tables import emptied

_KEPT = {"alembic_version", "environment_stamp", "renewals", "schema_compatibility", "signing_secret"}

_WATCH = """
CREATE SCHEMA IF NOT EXISTS harness;
CREATE TABLE IF NOT EXISTS harness.log (n bigserial, at timestamptz NOT NULL DEFAULT clock_timestamp(),
                                        source text, old jsonb, new jsonb);
CREATE OR REPLACE FUNCTION harness.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO harness.log (source, old, new)
    VALUES (TG_TABLE_NAME, CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
            CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER harness_tasks AFTER INSERT OR UPDATE OR DELETE ON tasks
    FOR EACH ROW EXECUTE FUNCTION harness.note();
CREATE OR REPLACE TRIGGER harness_attempts AFTER INSERT OR UPDATE OR DELETE ON attempts
    FOR EACH ROW EXECUTE FUNCTION harness.note();
"""
_TABLES = """
SELECT format('%I.%I', schemaname, tablename) AS name, tablename FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> ALL($1::int[])
"""
_UNCERTAIN = """
SELECT count(*) FROM tasks
WHERE id = ANY($1::uuid[]) AND order_sent_at IS NOT NULL AND order_job_id IS NULL AND finished_at IS NULL
"""
_HASTEN = """
UPDATE deliveries SET next_try_at = now() + interval '0.1 s' WHERE next_try_at > now() + interval '1 s'
"""
_HASTEN_ERASURE = """
UPDATE tasks SET deleted_at = deleted_at - interval '45 s'
WHERE deleted_at > now() - interval '45 s' AND finished_at IS NOT NULL AND order_stop_at IS NOT NULL
"""
_OLD_OBJECTS = "SELECT count(*) AS n FROM doomed_objects WHERE last_created_at < now() - interval '10 days'"
_ERASED_OBJECTS = "SELECT count(*) AS n FROM doomed_objects WHERE erased_at IS NOT NULL AND removed_at IS NULL"
_AGE = """
UPDATE tasks SET created_at = created_at - interval '400 days', finished_at = finished_at - interval '400 days'
WHERE finished_at IS NOT NULL;
UPDATE assets SET created_at = created_at - interval '400 days';
UPDATE doomed_objects SET last_created_at = last_created_at - interval '400 days';
"""


class Lane:
    """A database in which one case after the other is played."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.connection: asyncpg.Connection = None
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Connect, and watch the tables."""
        self.connection = await asyncpg.connect(self.url)
        await self.connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        await self.connection.execute(_WATCH)

    async def fetch(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        """Ask the database directly."""
        async with self._lock:
            rows: Sequence[Mapping[str, Any]] = await self.connection.fetch(statement, *values)
            return rows

    async def clean(self) -> None:
        """Empty every table, and end every other connection."""
        await self.fetch(_OTHERS, [self.connection.get_server_pid()])
        tables = [row["name"] for row in await self.fetch(_TABLES) if row["tablename"] not in _KEPT]
        await self.fetch(emptied(tables))

    async def log(self) -> Sequence[Mapping[str, Any]]:
        """Every version of every row of a task or an attempt, in order."""
        return await self.fetch("SELECT * FROM harness.log ORDER BY n")

    async def left(self) -> int:
        """How many tasks and messages are not through."""
        rows = await self.fetch(
            "SELECT (SELECT count(*) FROM tasks WHERE finished_at IS NULL)"
            " + (SELECT count(*) FROM deliveries WHERE next_try_at IS NOT NULL) AS left"
        )
        return int(rows[0]["left"])

    async def entries(self) -> int:
        """How many entries the queue holds."""
        return int((await self.fetch("SELECT count(*) AS n FROM queue"))[0]["n"])

    async def uncertain(self, ids: Sequence[UUID]) -> bool:
        """Whether one of these tasks may have an order of which the journal does not know the job."""
        return bool((await self.fetch(_UNCERTAIN, list(ids)))[0]["count"])

    async def hasten(self) -> None:
        """Nobody waits here for a message that is to be sent again in seconds, or that somebody lost holds.

        Nor for the row of a deleted task, which is kept for 45 s while its order may still be stopped.
        """
        await self.fetch(_HASTEN)
        await self.fetch(_HASTEN_ERASURE)

    async def old_objects(self) -> int:
        """How many bytes of no asset are noted that somebody should have removed long ago."""
        return int((await self.fetch(_OLD_OBJECTS))[0]["n"])

    async def erased_objects(self) -> int:
        """How many bytes are still to go at once."""
        return int((await self.fetch(_ERASED_OBJECTS))[0]["n"])

    async def age(self) -> None:
        """Make what has ended more than a year old."""
        async with self._lock:
            await self.connection.execute(_AGE)


def known_job(version: Mapping[str, Any]) -> str | None:
    """The vendor's job that a version of a row of tasks or attempts names, if any."""
    return version.get("order_job_id") or version.get("job_id")


@asynccontextmanager
async def lanes_on(server_url: str, count: int) -> AsyncIterator[list[Lane]]:
    """Databases of our own on that server."""
    base = server_url.rpartition("/")[0]
    name = f"crash_{uuid_utils.compat.uuid7().hex}"
    connection = await asyncpg.connect(server_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        await connection.execute(f"CREATE DATABASE {name}")
        await _lay_out(f"{base}/{name}{_query(server_url)}")
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="genpulse-crash-"))
        lanes = []
        for number in range(count):
            await connection.execute(f"CREATE DATABASE {name}_{number} TEMPLATE {name} STRATEGY FILE_COPY")
            place = Path(folder) / str(number)
            place.mkdir()
            lane = Lane(f"{base}/{name}_{number}{_query(server_url)}", place)
            await lane.open()
            stack.push_async_callback(lane.connection.close)
            lanes.append(lane)
        yield lanes


async def _lay_out(url: str) -> None:
    """All tables, in a database whose copies pass as originals."""
    await upgrade(url, environment="dev", stamps_itself=True)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE environment_stamp SET identity = NULL")
    finally:
        await connection.close()


def _query(url: str) -> str:
    query = urlsplit(url).query
    return f"?{query}" if query else ""
