"""Assets are found by an index, however many there are."""

import uuid

import pytest

from genpulse.adapters.database.statements import tasks
from genpulse.adapters.postgresql.connections import open_pool

_ASSETS = """
INSERT INTO assets (id, environment, key, sha256, size, media_type, created_at)
SELECT gen_random_uuid(), 'dev',
       'assets/2030-W05/' || CASE WHEN number % 3 = 0 THEN 'id' ELSE 'ab' END || '/' || number,
       md5(number::text), 1, 'video/mp4', now()
FROM generate_series(1, 30000) AS number
"""


@pytest.fixture
async def pool(own_database_url):
    pool = await open_pool(own_database_url, size=2, application_name="tests")
    yield pool
    await pool.close()


async def test_twins_and_assets_are_found_by_an_index_whether_tables_were_analyzed_or_not(pool):
    twin = ("ab", 1, "assets/2030-W05/id/", "assets/2030-W05/id/x", "dev")
    for statement in (_ASSETS, "ANALYZE"):
        await pool.execute(statement)
        for asked, values, index in (
            (tasks.TWIN, twin, "ix_assets_staged"),
            (tasks.ASSETS, ([uuid.uuid4(), uuid.uuid4()],), "pk_assets"),
        ):
            plan = "\n".join(row[0] for row in await pool.fetch(f"EXPLAIN {asked}", *values))
            assert index in plan, plan
            assert "Seq Scan on assets" not in plan, plan
