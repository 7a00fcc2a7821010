"""Findings about a pooler between us and PostgreSQL, as it behaves and as the settings say."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from genpulse.addresses.postgresql import plain
from genpulse.cli.doctor.finding import Finding, warning, well, wrong
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.variables import variable_name

_PATIENCE_S = 5.0
_LONG_S = 1.0
_LOOKS = 5
_AWAY = (OSError, TimeoutError, EOFError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
_PROCESS = "SELECT pg_backend_pid()"
_NAME = "pooler"


@dataclass(frozen=True, slots=True)
class PoolerFacts:
    """What was seen where an address leads.

    `is_there`: what answers is not the process of PostgreSQL that does the work. `by_transaction`: two connections
    were seen to work with one and the same process. `waited_s`: how long the first of them waited for one.
    """

    is_there: bool
    by_transaction: bool = False
    waited_s: float = 0.0


async def pooler_facts(url: str) -> PoolerFacts | None:
    """Look who answers; None where nobody does within 5 seconds."""
    opened: list[asyncpg.Connection] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            opened.append(await asyncpg.connect(plain(url), statement_cache_size=0))
            began = time.monotonic()
            pid = await opened[0].fetchval(_PROCESS)
            waited_s = time.monotonic() - began
        if pid == opened[0].get_server_pid():
            return PoolerFacts(is_there=False)
        return PoolerFacts(True, await _is_shared(url, opened, pid), waited_s)
    except _AWAY:
        return None
    finally:
        for connection in opened:
            connection.terminate()


async def _is_shared(url: str, opened: list[asyncpg.Connection], pid: int) -> bool:
    """Whether a second connection works with a process that the first has worked with, too.

    Where each keeps its own, the pooler may have none for the second.
    """
    first, second = {pid}, set()
    try:
        async with asyncio.timeout(_LONG_S):
            opened.append(await asyncpg.connect(plain(url), statement_cache_size=0))
            for _ in range(_LOOKS):
                second.add(await opened[1].fetchval(_PROCESS))
                first.add(await opened[0].fetchval(_PROCESS))
    except _AWAY:
        return False
    return bool(first & second)


async def pooler(settings: Settings) -> list[Finding]:
    """Nothing where none is set and none is seen."""
    url, direct = settings.database_url, settings.database.listen_url
    facts = await pooler_facts(url.get_secret_value()) if url else None
    past = await pooler_facts(direct.get_secret_value()) if direct else None
    return list(findings(settings, facts, past))


def findings(settings: Settings, facts: PoolerFacts | None, past: PoolerFacts | None) -> Iterator[Finding]:
    """What is to be said of the pooler, and of the address that leads past it."""
    mode = settings.database.pooler
    if facts is not None:
        yield from _of_pooler(mode, facts)
    if settings.database.listen_url is None:
        if mode == "transaction":
            yield warning(
                "listening",
                "database.listen_url is empty: workers look for work every half second, and nothing is upgraded",
                f"name PostgreSQL past its pooler: {variable_name('database.listen_url')}",
            )
    elif past is None:
        yield wrong("listening", "nothing answers where database.listen_url points", "mend that address")
    elif past.by_transaction:
        detail = "database.listen_url leads to a pooler by transaction, which loses what is listened to"
        yield wrong("listening", detail, "name PostgreSQL itself")
    else:
        yield well("listening", "at database.listen_url")


def _of_pooler(mode: str, facts: PoolerFacts) -> Iterator[Finding]:
    setting = variable_name("database.pooler")
    if not facts.is_there:
        if mode != "none":
            detail = f"database.pooler is {mode}, and PostgreSQL itself answers at database_url"
            yield warning(_NAME, detail, f"let it lead to the pooler, or unset {setting}")
        return
    if mode == "none" or (mode == "session" and facts.by_transaction):
        seen = "by transaction" if facts.by_transaction else "by session, as far as can be seen"
        detail = f"a pooler answers at database_url that pools {seen}, and database.pooler is {mode}"
        yield wrong(_NAME, detail, f"{setting}={'transaction' if facts.by_transaction else 'session'}")
    else:
        yield well(_NAME, f"by {mode}, as database.pooler says")
    if facts.waited_s > _LONG_S:
        yield warning(
            "room in the pooler",
            f"it took {facts.waited_s:.1f} s to lend a connection of PostgreSQL",
            "let its pool be greater (default_pool_size of PgBouncer), or database.pool_size smaller",
        )
