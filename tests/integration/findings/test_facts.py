"""What real servers tell."""

from datetime import UTC, datetime, timedelta

from genpulse.cli.findings.facts import database_facts, redis_facts
from genpulse.dev.ports import free_port


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


async def test_redis_tells_its_version(redis_url):
    facts = await redis_facts(redis_url)
    assert facts is not None
    assert (facts.server, facts.version) == ("valkey", 9)


async def test_servers_that_are_away_or_several_tell_nothing(redis_url):
    away = free_port()
    assert await database_facts(f"postgresql://u:p@127.0.0.1:{away}/d", lambda: datetime.now(UTC)) is None
    assert await redis_facts(f"redis://127.0.0.1:{away}/0") is None
    assert await redis_facts(redis_url.replace("redis://", "redis+cluster://")) is None
