"""What may not be left in a session of PostgreSQL that a pooler gives to others after each transaction."""

import asyncpg

LEFT = """
SELECT (SELECT count(*) FROM pg_prepared_statements) AS prepared,
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
       (SELECT count(*) FROM pg_listening_channels()) AS channels,
       (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND pg_table_is_visible(oid)) AS tables,
       (SELECT count(*) FROM pg_cursors WHERE name <> '') AS cursors,
       (SELECT coalesce(array_agg(name), '{}') FROM pg_settings
        WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding')
          AND (name <> 'transaction_isolation' OR setting <> current_setting('default_transaction_isolation'))
       ) AS settings
"""
"""Each transaction begins with the default isolation, whatever the last one had, and counts as having set it."""
CLEAN = {"prepared": 0, "locks": 0, "channels": 0, "tables": 0, "cursors": 0, "settings": []}


async def leftovers(connection: asyncpg.Connection) -> dict[str, object]:
    """What is in the session of a connection of a pool, asked past what our own class does on it."""
    plain = connection._con
    return dict(await asyncpg.Connection.fetchrow(plain, LEFT))


async def check_sessions(pool: asyncpg.Pool) -> None:
    """Nothing is left on any connection of the pool that nobody uses."""
    idle = [await pool.acquire() for _ in range(pool.get_idle_size())]
    for connection in idle:
        found = await leftovers(connection)
        await pool.release(connection)
        assert found == CLEAN, found
