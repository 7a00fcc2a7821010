"""Building blocks of migrations that block no running process.

Each migration is a transaction of its own. It may hold others up for `WAIT_S` before it has its locks; then it is
rolled back, and tried again a little later. So in a migration:

- call `lock` first, with every table that is there already and is to be changed;
- do what is quick while they are locked: no statement that reads the rows of a table;
- build no index on a table that is there already. Describe it in `tables.py`: the upgrade builds what is missing
  there without locks. Drop one with `if_exists=True`, and never change one under its old name without that;
- add a condition as NOT VALID: the upgrade looks at the rows that are there afterwards, without locks;
- take away, rename or change nothing that the version before reads. A later migration does that, and says in
  `schema_compatibility` which versions it wants.

`tests/upgrades` runs each migration and holds it to this; docs/explanation/online-upgrades.md says why.
"""

import time

from alembic import op

VACUUM_S = 2.0
"""Longer than PostgreSQL's `deadlock_timeout`: after that an autovacuum gives way to who waits for its table."""
WAIT_S = 0.15
"""Everybody who comes after a lock that is waited for waits, too."""
_LEAST_MS = 20


def lock(*tables: str) -> None:
    """Lock all of them against everybody, or fail.

    A vacuum is waited for first, by a lock that holds no reader and no writer up. Whoever works with the rows then
    has `WAIT_S` altogether to end its transaction.
    """
    op.execute(f"SET LOCAL lock_timeout = {round(VACUUM_S * 1000)}")
    for table in tables:
        op.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
    deadline = time.monotonic() + WAIT_S
    for table in tables:
        left_ms = max(_LEAST_MS, round((deadline - time.monotonic()) * 1000))
        op.execute(f"SET LOCAL lock_timeout = {left_ms}")
        op.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
