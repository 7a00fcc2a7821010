"""Submitters and workers go on beside every migration, in front of many tasks."""

import asyncpg
import pytest

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import _between
from tests.upgrades.measurement import BEFORE, measure
from tests.upgrades.rows import WAITING


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rows", [100_000])
async def test_nobody_is_refused_beside_any_migration(database_url, rows):
    """How long they wait is measured by `make upgrade-locks`, where nothing else decides it."""
    steps = await measure(database_url, rows)
    assert [name[:4] for name in steps][1:] == list(_between(BEFORE, head()))
    assert all(waits.statements > 0 for waits in steps.values()), steps
    connection = await asyncpg.connect(database_url)
    ended, waiting = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE provider = 'beside' AND status = 'succeeded'),"
        " count(*) FILTER (WHERE provider <> 'beside' AND status = 'queued') FROM tasks"
    )
    assert ended > 0
    assert waiting == rows // WAITING
    await connection.close()
