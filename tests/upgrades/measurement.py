"""How long others wait for each migration, one after the other, in a database with many rows."""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import _between, upgrade
from genpulse.dev.processes.child import Guard
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import remove_home
from genpulse.dev.servers.postgres import Postgres
from tests.servers import TestServer
from tests.upgrades.lock_waits import Waits, beside
from tests.upgrades.rows import fill

BEFORE = "0012"
"""The oldest revision whose versions may work beside the newest tables."""
LIMIT_MS = 200.0
CALM_S = 10.0


@contextmanager
def measured_database(place: Path | None = None) -> Iterator[str]:
    """The URL of a database on a disk, with `fsync` and autovacuum as an installation has them."""
    home = Path(tempfile.mkdtemp(prefix="genpulse-upgrades-", dir=place))
    home.chmod(0o711)
    guard = Guard()
    try:
        server = TestServer(Postgres.lay_out(home, free_port(), secrets.token_urlsafe(12)), guard)
        server.start()
        yield server.url
        server.stop()
    finally:
        guard.close()
        remove_home(home)


async def measure(url: str, rows: int, tell=print) -> dict[str, Waits]:
    """Upgrade from `BEFORE` to the newest revision; returns what happened beside each step."""
    await upgrade(url, to=BEFORE)
    await fill(url, rows, tell)
    steps: dict[str, Waits] = {}
    async with beside(url) as others:
        async with others.step() as steps["nothing"]:
            await asyncio.sleep(CALM_S)
        for revision in _between(BEFORE, head()):
            name = revision if revision != head() else f"{revision}, indexes"
            async with others.step() as steps[name]:
                await upgrade(url, to=revision, tell=tell)
                await asyncio.sleep(0.3)
            tell(line(name, steps[name]))
        assert others.submitted > 0
        assert others.ended > 0
        tell(f"{others.submitted:,} tasks were submitted and {others.ended:,} ended meanwhile.")
    await _nothing_missing(url)
    return steps


def line(name: str, waits: Waits) -> str:
    """One step, to be read."""
    return (
        f"{name:14}  {waits.longest_lock_ms:8.1f} ms  {waits.longest_s * 1000:8.0f} ms"
        f"  {waits.took_s:8.1f} s  {waits.statements:8,}  {waits.deadlocks:4}  {waits.locked}"
    )


async def _nothing_missing(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == head()
    finally:
        await connection.close()
