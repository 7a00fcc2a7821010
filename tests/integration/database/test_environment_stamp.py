"""A database belongs to one environment, and every connection looks at that first."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from genpulse.adapters.database.health_checks import DatabaseProbe, MigrationsProbe, StampProbe
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.schema.environment_stamp import check_stamp, look, stamp
from genpulse.adapters.database.schema.migrate import current, upgrade
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import connect, open_pool
from genpulse.dev.processes.ports import free_port
from genpulse.domain.attempt import Succeeded
from genpulse.domain.errors import (
    DatabaseInUse,
    DatabaseUnavailable,
    ForeignDatabase,
    UnstampedDatabase,
)
from genpulse.ports import State
from tests.contract.conftest import Backend, new_ids, new_task, now


async def executed(url, *statements):
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def counted(url, table):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(f"SELECT count(*) FROM {table}")
    finally:
        await connection.close()


@asynccontextmanager
async def pool_of(url, environment, *, size=3, name="tests"):
    pool = await open_pool(url, size=size, application_name=name, environment=environment)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture
def empty(unstamped_url):
    """Up to date, and nobody's."""
    return unstamped_url


async def whose(url):
    found = (await look(url)).stamp
    return found.environment if found else None


@pytest.mark.parametrize(("theirs", "ours"), [("dev", "test"), ("test", "dev"), ("main", "dev"), ("dev", "main")])
async def test_two_environments_never_share_a_database(empty, theirs, ours):
    assert (await stamp(empty, theirs)).changed
    await check_stamp(empty, theirs, stamps_itself=False)
    message = rf"belongs to {theirs} \(stamped 20.* UTC by .*genpulse \d.*\), and this process is {ours}\."
    for stamps_itself in (False, True):
        with pytest.raises(ForeignDatabase, match=message):
            await check_stamp(empty, ours, stamps_itself=stamps_itself)
    with pytest.raises(ForeignDatabase, match=message):
        await stamp(empty, ours)
    with pytest.raises(ForeignDatabase, match=message):
        await upgrade(empty, environment=ours, stamps_itself=True)
    with pytest.raises(ForeignDatabase, match=message):
        await connect(empty, application_name="tests", environment=ours)
    async with pool_of(empty, ours) as pool:
        with pytest.raises(ForeignDatabase, match=message):
            await pool.fetchval("SELECT 1")
    assert await whose(empty) == theirs


async def test_a_stamp_is_put_once(empty):
    first = await stamp(empty, "main")
    again = await stamp(empty, "main")
    assert (first.changed, again.changed) == (True, False)
    assert first.stamp == again.stamp == (await look(empty)).stamp
    assert first.name == empty.rpartition("/")[2].partition("?")[0]
    with pytest.raises(asyncpg.UniqueViolationError):
        await executed(empty, "INSERT INTO environment_stamp (environment, stamped_by) VALUES ('dev', 'x')")
    with pytest.raises(asyncpg.CheckViolationError):
        await executed(empty, "INSERT INTO environment_stamp VALUES (false, 'dev', now(), 'x')")


async def test_of_stampers_at_the_same_time_one_environment_wins(empty):
    wanted = ["dev", "test", "main"] * 4
    answers = await asyncio.gather(*(stamp(empty, each) for each in wanted), return_exceptions=True)
    winner = await whose(empty)
    for each, answer in zip(wanted, answers, strict=True):
        if each == winner:
            assert answer.stamp.environment == winner
        else:
            assert isinstance(answer, ForeignDatabase)
            assert (answer.theirs, answer.ours) == (winner, each)
    assert sum(answer.changed for answer in answers if not isinstance(answer, Exception)) == 1


async def test_development_stamps_while_it_upgrades_and_no_other_environment_does(empty):
    await upgrade(empty, environment="test", stamps_itself=False)
    await upgrade(empty, environment="main", stamps_itself=False)
    assert await whose(empty) is None
    await asyncio.gather(*(upgrade(empty, environment="dev", stamps_itself=True) for _ in range(3)))
    assert await whose(empty) == "dev"


async def test_without_a_stamp_only_who_stamps_itself_may_start(empty):
    for environment in ("test", "main"):
        with pytest.raises(UnstampedDatabase, match=f"`genpulse env stamp`, once, with ENV={environment}"):
            await check_stamp(empty, environment, stamps_itself=False)
    await check_stamp(empty, "dev", stamps_itself=True)
    async with pool_of(empty, "dev") as pool:
        with pytest.raises(UnstampedDatabase):
            await pool.fetchval("SELECT 1")


async def test_a_database_without_tables_has_no_stamp_and_takes_none(database_url):
    assert (await look(database_url)).stamp is None
    for replaces in (None, "test"):
        with pytest.raises(UnstampedDatabase, match="genpulse db upgrade"):
            await stamp(database_url, "main", replaces=replaces)
    assert (await current(database_url)).current is None


async def with_a_task_of(url, environment):
    async with pool_of(url, None) as pool:
        await PostgresTaskStore(pool).submit(new_task(environment=environment))


HOLDS = r"belongs to main \(it has no stamp, and holds tasks of main\), and this process is dev"


@pytest.mark.parametrize("stamps_itself", [True, False])
async def test_a_database_from_before_stamps_is_not_upgraded_by_another(empty, stamps_itself):
    await with_a_task_of(empty, "main")
    await executed(empty, "DROP TABLE environment_stamp", "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(ForeignDatabase, match=HOLDS) as refused:
        await upgrade(empty, environment="dev", stamps_itself=stamps_itself)
    assert not refused.value.stamped
    assert (await current(empty)).current == "0001"


async def test_a_database_that_holds_tasks_of_another_is_not_stamped(empty):
    await with_a_task_of(empty, "main")
    with pytest.raises(ForeignDatabase, match=HOLDS):
        await stamp(empty, "dev")
    assert (await stamp(empty, "main")).changed


async def test_assets_tell_whose_a_database_is_as_well(empty):
    await executed(
        empty,
        "INSERT INTO assets (id, environment, key, sha256, size, media_type, created_at)"
        " VALUES (gen_random_uuid(), 'test', 'k', 's', 1, 'image/png', now())",
    )
    with pytest.raises(ForeignDatabase, match="holds assets of test"):
        await stamp(empty, "dev")


async def test_a_stamp_is_replaced_from_the_named_environment_only(empty):
    with pytest.raises(UnstampedDatabase):
        await stamp(empty, "main", replaces="test")
    await stamp(empty, "test")
    with pytest.raises(ForeignDatabase, match="belongs to test"):
        await stamp(empty, "main", replaces="dev")
    assert await whose(empty) == "test"
    assert (await stamp(empty, "main", replaces="test")).changed
    assert not (await stamp(empty, "main", replaces="test")).changed
    assert await whose(empty) == "main"


async def test_a_stamp_is_not_replaced_under_processes_that_are_connected(empty):
    await stamp(empty, "test")
    async with pool_of(empty, "test", name="genpulse api test") as pool:
        await pool.fetchval("SELECT 1")
        with pytest.raises(DatabaseInUse, match="genpulse api test"):
            await stamp(empty, "main", replaces="test")
        assert await whose(empty) == "test"
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await stamp(empty, "main", replaces="test")).changed
                break
            except DatabaseInUse:
                await asyncio.sleep(0.02)


async def test_who_connects_while_a_stamp_is_replaced_waits_for_the_new_one(empty):
    await stamp(empty, "test")
    giver = await asyncpg.connect(empty)
    async with giver.transaction():
        await giver.execute("LOCK TABLE environment_stamp IN ACCESS EXCLUSIVE MODE")
        coming = asyncio.create_task(connect(empty, application_name="tests", environment="test"))
        async with asyncio.timeout(5):
            while not await giver.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                await asyncio.sleep(0.01)
        await giver.execute("UPDATE environment_stamp SET environment = 'main'")
    await giver.close()
    with pytest.raises(ForeignDatabase, match="belongs to main"):
        await coming


async def test_a_running_process_neither_reads_nor_writes_a_database_put_in_place_of_its_own(empty):
    await stamp(empty, "dev")
    async with pool_of(empty, "dev") as pool:
        queue = PostgresTaskQueue(pool, empty)
        backend = Backend(PostgresTaskStore(pool), queue)
        begun = await backend.begun()
        await executed(
            empty,
            "UPDATE environment_stamp SET environment = 'test'",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'tests'",
        )
        for call in (
            lambda: backend.store.submit(new_task()),
            lambda: backend.store.get(begun.task.id),
            lambda: backend.end(begun.lease, Succeeded(())),
            lambda: backend.store.claim(backend.worker, "sandbox", new_ids(1)),
            lambda: backend.store.renew(backend.worker, now()),
        ):
            await refused(call)
        assert await counted(empty, "tasks") == 1
        assert await counted(empty, "tasks WHERE status = 'running'") == 1
        await executed(empty, "UPDATE environment_stamp SET environment = 'dev'")
        ended = await backend.ended(begun.lease, Succeeded(()))
        assert ended.status.ended
        await queue.close()


async def refused(call):
    """A call may meet the connection that was cut; the next one meets the stamp."""
    async with asyncio.timeout(5):
        while True:
            with pytest.raises(DatabaseUnavailable) as error:
                await call()
            if isinstance(error.value, ForeignDatabase):
                return


async def test_a_refused_connection_does_not_stay_open(empty):
    await stamp(empty, "test")
    async with pool_of(empty, "dev", size=2, name="refused") as pool:
        for _ in range(5):
            with pytest.raises(ForeignDatabase):
                await pool.fetchval("SELECT 1")
            with pytest.raises(ForeignDatabase):
                await connect(empty, application_name="refused", environment="dev")
        async with asyncio.timeout(5):
            while await counted(empty, "pg_stat_activity WHERE application_name = 'refused'"):
                await asyncio.sleep(0.02)


async def test_the_stamp_is_looked_at_once_a_connection_and_not_at_each_use(empty):
    await stamp(empty, "dev")
    scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'environment_stamp'"
    async with pool_of(empty, "dev", size=1) as pool:
        async with pool.acquire() as connection:
            await connection.execute("SELECT pg_stat_force_next_flush()")
        before = await pool.fetchval(scans)
        for _ in range(50):
            await pool.fetchval("SELECT 1")
        async with pool.acquire() as connection:
            await connection.execute("SELECT pg_stat_force_next_flush()")
        assert await pool.fetchval(scans) == before >= 1


async def test_a_role_that_may_not_read_the_stamp_is_told_so(empty):
    await stamp(empty, "dev")
    await executed(empty, "CREATE ROLE stranger")
    try:
        async with pool_of(f"{empty}?options=-crole%3Dstranger", "dev") as pool:
            with pytest.raises(DatabaseUnavailable, match="Grant it SELECT on the table environment_stamp"):
                await pool.fetchval("SELECT 1")
    finally:
        await executed(empty, "DROP ROLE stranger")


async def test_probes_say_whose_the_database_is(empty):
    async with pool_of(empty, "dev") as pool:
        missing = await StampProbe(pool, "dev")()
        assert (missing.name, missing.state) == ("stamp", State.DOWN)
        assert "carries no stamp" in missing.detail
        await stamp(empty, "dev")
        assert (await StampProbe(pool, "dev")()).detail == "of dev"
        assert (await MigrationsProbe(pool)()).state is State.OK
        await executed(empty, "UPDATE environment_stamp SET environment = 'test'")
        foreign = await StampProbe(pool, "dev")()
        assert foreign.state is State.DOWN
        assert "belongs to test" in foreign.detail
        assert "this process is dev" in foreign.detail
    async with pool_of(empty, "dev") as pool:
        for probe in (DatabaseProbe(pool), MigrationsProbe(pool)):
            health = await probe()
            assert (health.state, "see stamp" in health.detail) == (State.DOWN, True)


async def test_a_database_that_is_away_is_no_foreign_one():
    url = f"postgresql://u:p@127.0.0.1:{free_port()}/d"
    for call in (check_stamp(url, "dev", stamps_itself=False), stamp(url, "dev"), look(url)):
        with pytest.raises(DatabaseUnavailable, match="Nothing listens where GENPULSE_DATABASE_URL names") as away:
            await call
        assert type(away.value) is DatabaseUnavailable
    async with pool_of(url, "dev") as pool:
        assert (await StampProbe(pool, "dev")()).state is State.DOWN
