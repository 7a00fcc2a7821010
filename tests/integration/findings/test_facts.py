"""What real servers tell."""

from datetime import UTC, datetime, timedelta

import asyncpg

from genpulse.addresses.url import Url
from genpulse.cli.doctor.facts import WorkerClock, database_facts, redis_facts, worker_clocks
from genpulse.dev.processes.ports import free_port


async def test_postgresql_tells_version_connections_and_clock(database_url):
    facts = await database_facts(database_url, lambda: datetime.now(UTC))
    assert facts is not None
    assert (facts.version, facts.tls, facts.connections) == (18, False, 197)
    assert abs(facts.clock_ahead_s) <= facts.clock_error_s + 0.5


async def test_a_clock_that_is_off_is_measured(database_url):
    late = await database_facts(
        database_url.replace("postgresql://", "postgresql+asyncpg://"),
        lambda: datetime.now(UTC) - timedelta(seconds=5),
    )
    assert late is not None
    assert 4.5 < late.clock_ahead_s < 5.5


async def test_keys_that_only_libpq_knows_are_no_outage(database_url):
    url = Url.of(database_url)
    asked = str(url.asking(url.query.also("connect_timeout", "10").also("channel_binding", "prefer")))
    assert await database_facts(asked, lambda: datetime.now(UTC)) is not None


async def test_workers_have_told_the_database_of_their_clocks(database_url):
    assert await worker_clocks(database_url) == ()
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE workers (name text, lease_until timestamptz)")
    assert await worker_clocks(database_url) == ()
    await connection.execute("ALTER TABLE workers ADD COLUMN clock_ahead_s double precision")
    await connection.execute(
        "INSERT INTO workers VALUES ('b', now() + interval '9 s', -61.5), ('a', now() + interval '9 s', 0.25),"
        " ('gone', now() - interval '1 s', 99), ('silent', now() + interval '9 s', NULL)"
    )
    found = await worker_clocks(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    assert found == (WorkerClock("a", 0.25), WorkerClock("b", -61.5))
    await connection.close()


async def test_redis_tells_its_version(redis_url):
    facts = await redis_facts(redis_url)
    assert facts is not None
    assert (facts.server, facts.version) == ("valkey", 9)


async def test_servers_that_are_away_or_several_tell_nothing(redis_url):
    away = free_port()
    assert await database_facts(f"postgresql://u:p@127.0.0.1:{away}/d", lambda: datetime.now(UTC)) is None
    assert await worker_clocks(f"postgresql://u:p@127.0.0.1:{away}/d") == ()
    assert await redis_facts(f"redis://127.0.0.1:{away}/0") is None
    assert await redis_facts(redis_url.replace("redis://", "redis+cluster://")) is None
