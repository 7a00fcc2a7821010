"""Building blocks of migrations that block no running process.

Each migration is a transaction of its own. It may wait for its locks for two seconds; then it is rolled back, and
tried again a little later. So in a migration:

- call `lock` first, with every table that is there already and is to be changed;
- do what is quick while they are locked: no statement that reads all rows of a table;
- build no index on a table that is there already. Describe it in `tables.py`: the upgrade builds what is missing
  there without locks. Drop one with `if_exists=True`, and never change one under its old name without that;
- add a condition as NOT VALID: the upgrade looks at the rows that are there afterwards, without locks;
- where older versions could not work with the tables afterwards, say so in `schema_compatibility`.
"""

import time

from alembic import op

LOCK_S = 2.0
"""Longer than PostgreSQL's `deadlock_timeout`: after that an autovacuum gives way to who waits for its table."""
_LEAST_MS = 50


def lock(*tables: str) -> None:
    """Lock all of them against everybody, or fail within two seconds altogether."""
    deadline = time.monotonic() + LOCK_S
    for table in tables:
        left_ms = max(_LEAST_MS, round((deadline - time.monotonic()) * 1000))
        op.execute(f"SET LOCAL lock_timeout = {left_ms}")
        op.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
