"""What `db upgrade --plan` tells of each migration, as it was seen in a database of its own."""

import json
import re

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import _apply, _between, _engine
from genpulse.adapters.database.schema.upgrade.plan import RECORDS
from tests.upgrades.inspection import Inspection, inspect

_HEADER = re.compile(r"(?<=[a-z])(?=[A-Z])")


def kept():
    """What the package holds."""
    return json.loads(RECORDS.read_text())


async def seen(database_url):
    """What the migrations do to an empty database, one after the other."""
    engine = _engine(database_url)
    found = {}
    try:
        async with engine.connect() as connection:
            for revision in _between(None, head()):

                def applied(sync, revision=revision):
                    return inspect(sync, lambda: _apply(sync, revision))

                found[revision] = _record(await connection.run_sync(applied))
                await connection.commit()
    finally:
        await engine.dispose()
    return found


def write(records):
    RECORDS.write_text(json.dumps(records, indent=1) + "\n")


def _record(inspection: Inspection):
    return {
        "locks": {table: _words(mode) for table, mode in sorted(inspection.locks.items())},
        "rewrites": sorted(inspection.rewritten),
        "reads": sorted(inspection.read | inspection.written),
        "works_with": inspection.after.works_with,
    }


def _words(mode):
    """As PostgreSQL's documentation writes it: AccessExclusiveLock is ACCESS EXCLUSIVE."""
    return _HEADER.sub(" ", mode.removesuffix("Lock")).upper()
