"""Messages of a database from before they knew where they go."""

import asyncpg
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from genpulse.adapters.database.schema.migrate import _config
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.webhook_delivery import DeliveryState

_TASK = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, webhook_url,
                   created_at)
VALUES (gen_random_uuid(), 'dev', 'noop', 'sandbox', 'sandbox/noop', 'queued', 0, '{}', '{}', $1, now())
RETURNING id
"""
_ENDED = "UPDATE tasks SET status = 'canceled', finished_at = now(), seq = seq + 1 WHERE id = $1"
_TAKEN = "UPDATE deliveries SET next_try_at = NULL, delivered_at = now() WHERE task_id = $1"


async def migrated(url: str, step, revision: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))

    def go(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        step(config, revision)

    async with engine.begin() as connection:
        await connection.run_sync(go)
    await engine.dispose()


async def ended(connection, url: str):
    task_id = await connection.fetchval(_TASK, url)
    await connection.execute(
        "UPDATE tasks SET status = 'canceled', finished_at = now(), seq = seq + 1 WHERE id = $1", task_id
    )
    return task_id


async def test_what_waits_gets_its_place_and_its_day_and_what_was_taken_when_it_is_sent_again(database_url):
    await migrated(database_url, command.upgrade, "0008")
    connection = await asyncpg.connect(database_url)
    waiting = await ended(connection, "https://Waiting.example:443/hook")
    taken = await ended(connection, "https://taken.example/hook")
    await connection.execute(_TAKEN, taken)
    await migrated(database_url, command.upgrade, "0009")
    later = await ended(connection, "http://later.example:8080/hook")
    await migrated(database_url, command.upgrade, "head")
    pool = await open_pool(database_url, size=2, application_name="tests")
    deliveries = PostgresDeliveries(pool, "dev")
    for task_id, origin in ((waiting, "https://waiting.example"), (later, "http://later.example:8080")):
        (delivery,) = await deliveries.of_task(task_id)
        assert (delivery.origin, delivery.environment) == (origin, "dev")
        assert (delivery.given_until - delivery.created_at).total_seconds() == 24 * 3600
    (old,) = await deliveries.of_task(taken)
    assert (old.state, old.origin) == (DeliveryState.TAKEN, "")
    again = await deliveries.again(taken, old.id)
    assert (again.origin, again.environment) == ("https://taken.example", "dev")
    due = await deliveries.due(10, 60.0, per_origin=5, room={})
    assert {delivery.task_id for delivery, _ in due} == {waiting, taken, later}
    await pool.close()
    await connection.close()


async def test_it_can_be_taken_back(database_url):
    await migrated(database_url, command.upgrade, "0009")
    await migrated(database_url, command.downgrade, "0008")
    connection = await asyncpg.connect(database_url)
    task_id = await ended(connection, "https://a.example/")
    assert await connection.fetchval("SELECT count(*) FROM deliveries WHERE task_id = $1", task_id) == 1
    await connection.close()
    await migrated(database_url, command.upgrade, "head")


async def test_messages_from_before_choices_are_sent_as_ever_and_it_can_be_taken_back(database_url):
    await migrated(database_url, command.upgrade, "0029")
    connection = await asyncpg.connect(database_url)
    before = await ended(connection, "https://a.example/")
    await migrated(database_url, command.upgrade, "head")
    after = await ended(connection, "https://a.example/")
    pool = await open_pool(database_url, size=2, application_name="tests")
    deliveries = PostgresDeliveries(pool, "dev")
    due = {
        delivery.task_id: (delivery, task)
        for delivery, task in await deliveries.due(10, 60.0, per_origin=5, room={})
    }
    assert set(due) == {before, after}
    for delivery, task in due.values():
        assert (delivery.type, delivery.form, delivery.follows) == ("task.canceled", "", None)
        assert (task.id, task.webhook_choice) == (delivery.task_id, None)
    await pool.close()
    await migrated(database_url, command.downgrade, "0029")
    again = await ended(connection, "https://a.example/")
    assert await connection.fetchval("SELECT count(*) FROM deliveries WHERE task_id = $1", again) == 1
    await connection.close()
    await migrated(database_url, command.upgrade, "head")
