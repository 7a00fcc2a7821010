"""The migration revision that this version expects, without importing Alembic."""

from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def head() -> str:
    """The number of the newest migration."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def works_with(connection: asyncpg.Connection | asyncpg.Pool) -> str | None:
    """The oldest revision whose versions can work with these tables; None when the database does not say."""
    try:
        revision: str | None = await connection.fetchval("SELECT works_with_revision FROM schema_compatibility")
    except asyncpg.UndefinedTableError:
        return None
    return revision
