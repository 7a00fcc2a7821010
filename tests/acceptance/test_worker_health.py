"""`genpulse worker --health` beside a real worker, whose PostgreSQL does not answer for a while."""

import asyncio
import json
import time

import asyncpg
import pytest

from tests.fleet import ENDS_WITHIN_S, UP_S, Fleet


@pytest.fixture
def fleet(tmp_path, own_database_url, redis_url):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    fleet.environment["GENPULSE_WORKER__HEALTH_FILE"] = str(tmp_path / "life")
    fleet.environment["GENPULSE_WORKER__LEASE_S"] = "1"
    yield fleet
    fleet.stop()


def health(fleet):
    return fleet.call("worker", "--health").returncode


async def until(holds):
    deadline = time.monotonic() + UP_S
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_it_is_well_while_postgresql_makes_it_wait_and_not_once_it_is_gone(fleet, own_database_url):
    path = fleet.folder / "life"
    assert health(fleet) == 1
    worker = fleet.start_worker()

    async def there():
        assert worker.poll() is None, (fleet.folder / "log").read_text()
        return path.exists()

    await until(there)
    assert health(fleet) == 0
    connection = await asyncpg.connect(own_database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE workers IN ACCESS EXCLUSIVE MODE")

            async def waits():
                return await connection.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")

            await until(waits)
            before = json.loads(path.read_text())["at_s"]

            async def told_again():
                return json.loads(path.read_text())["at_s"] > before

            await until(told_again)
            assert health(fleet) == 0
    finally:
        await connection.close()
    worker.terminate()
    assert await asyncio.to_thread(worker.wait, ENDS_WITHIN_S) == 0
    assert health(fleet) == 1
