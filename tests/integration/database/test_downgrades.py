"""Every migration that runs beside others can be taken back, for whoever works on one."""

from alembic import command

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import _apply, _between, _config, _engine, upgrade
from tests.integration.database.test_upgrade_beside_others import different
from tests.upgrades.catalogue import look

BEFORE = "0012"


def _taken_back(connection, revision):
    config = _config()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def _columns(connection):
    """By the names of tables and columns: numbers are others after a column was dropped and added."""
    return {
        table.name: {column.name: (column.type, column.required) for column in table.columns.values()}
        for table in look(connection).tables.values()
    }


async def test_down_and_up_again_changes_nothing(database_url):
    await upgrade(database_url, to=BEFORE)
    steps = (BEFORE, *_between(BEFORE, head()))
    engine = _engine(database_url)
    async with engine.connect() as connection:
        before = {BEFORE: await connection.run_sync(_columns)}
        for revision in steps[1:]:
            await connection.run_sync(_apply, revision)
            before[revision] = await connection.run_sync(_columns)
            await connection.commit()
        for revision in reversed(steps[:-1]):
            await connection.run_sync(_taken_back, revision)
            assert await connection.run_sync(_columns) == before[revision], revision
            await connection.commit()
    await engine.dispose()
    assert await upgrade(database_url) == steps[1:]
    assert await different(database_url) == []
