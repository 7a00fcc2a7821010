"""Which assets an input names, as the database notes it when the task is written."""

import asyncio
import json
from uuid import UUID

import asyncpg
import pytest
from alembic import command
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from genpulse.adapters.database.schema.migrate import _config
from genpulse.domain.assets.asset import named_in, referred
from tests.drawn import examples
from tests.references import references, texts

_ASSETS = """
INSERT INTO assets (id, environment, key, sha256, size, media_type, created_at)
SELECT id, 'dev', '', '', 0, '', now() FROM unnest($1::uuid[]) AS id
"""
_TASK = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at)
VALUES (gen_random_uuid(), 'dev', 'k', 'p', 'm', 'queued', 0, $1::jsonb, '{}', now())
"""
_MANY = settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)


@pytest.fixture
def noted(own_database_url):
    """What the database notes of an input, when all of these assets are there."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(own_database_url))

        async def note(document: str, assets: list[UUID]) -> set[UUID]:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(_ASSETS, assets)
                await connection.execute(_TASK, document)
                rows = await connection.fetch("SELECT asset_id FROM asset_uses")
            finally:
                await transaction.rollback()
            return {UUID(int=row["asset_id"].int) for row in rows}

        yield lambda document, assets: runner.run(note(document, assets))
        runner.run(connection.close())


def test_every_reference_that_an_attachment_may_be_is_a_use(noted):
    @_MANY
    @given(references)
    def check(reference):
        found = referred(reference)
        if found is not None:
            assert noted(json.dumps({"images": [reference]}), [found]) == {found}

    check()


def test_the_database_and_the_domain_see_the_same_ids(noted):
    @_MANY
    @given(st.lists(st.one_of(references, texts), min_size=1, max_size=4))
    def check(found):
        document = json.dumps({"input": found}, ensure_ascii=False)
        ids = named_in(document)
        assert noted(document, list(ids)) == ids

    check()


async def test_uses_in_either_notation_are_found_when_a_database_is_brought_up_to_date(database_url):
    """Tasks that were written by an earlier version, whose trigger knew dashes alone."""
    ids = [UUID(int=number << 64 | 0xABCDEF) for number in (1, 2, 3)]
    await migrated(database_url, "0011")
    connection = await asyncpg.connect(database_url)
    await connection.execute(_ASSETS, ids)
    await connection.execute(_TASK, json.dumps([f"asset:{ids[0]}", f"asset:{ids[1].hex.upper()}"]))
    assert {row["asset_id"] for row in await connection.fetch("SELECT asset_id FROM asset_uses")} == {ids[0]}
    await connection.execute("INSERT INTO doomed_objects (key, size, last_created_at) VALUES ('k', 1, now())")
    await connection.execute("INSERT INTO environment_stamp (environment, stamped_by) VALUES ('test', 'me')")
    await migrated(database_url, "0012")
    assert {row["asset_id"] for row in await connection.fetch("SELECT asset_id FROM asset_uses")} == set(ids[:2])
    assert await connection.fetchval("SELECT environment FROM doomed_objects") == "test"
    await migrated(database_url, "0011")
    await migrated(database_url, "0012")
    await connection.close()


async def migrated(url: str, revision: str) -> None:
    def move(connection):
        config = _config()
        config.attributes["connection"] = connection
        before = MigrationContext.configure(connection).get_current_revision()
        (command.downgrade if before and before > revision else command.upgrade)(config, revision)

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        await connection.run_sync(move)
        await connection.commit()
    await engine.dispose()
