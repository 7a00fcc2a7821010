"""A clock of a database that a test sets: what PostgreSQL calls now() becomes what the test says."""

from datetime import datetime

import asyncpg

_MAKE = """
CREATE SCHEMA clock;
CREATE TABLE clock.setting (application text PRIMARY KEY, at timestamptz NOT NULL);
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT at FROM clock.setting WHERE application IN (current_setting('application_name'), '')
    ORDER BY application DESC LIMIT 1
$$;
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = clock, pg_catalog, public', current_database());
END $$;
"""
_SET = """
INSERT INTO clock.setting VALUES ($1, $2) ON CONFLICT (application) DO UPDATE SET at = excluded.at
"""


async def make_clock(url: str, at: datetime, **of_applications: datetime) -> None:
    """Give a database such a clock, for connections from now on; some applications see another one."""
    connection = await asyncpg.connect(url)
    await connection.execute(_MAKE)
    for name, moment in {"": at, **of_applications}.items():
        await connection.execute(_SET, name, moment)
    await connection.close()


async def set_clock(pool: asyncpg.Pool, at: datetime) -> None:
    """Let the clock show this, for all that see no other one."""
    await pool.execute(_SET, "", at)
