"""Which statements were sent, and how PostgreSQL carries them out."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from genpulse.adapters.postgresql.session_settings import PLANNER

_BEGIN, _SETS = ("BEGIN", "COMMIT", "ROLLBACK"), "SET "
_EXPLAINING = (
    "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;"
    " SET auto_explain.log_timing = off; SET auto_explain.log_format = 'json';"
    " SET auto_explain.log_level = 'notice'"
)


@dataclass(frozen=True, slots=True)
class SentStatement:
    """A statement with its values, and what was set before it in its transaction."""

    text: str
    values: tuple[Any, ...]
    settings: tuple[str, ...] = ()

    @property
    def in_short(self) -> str:
        """Its beginning, for people."""
        return " ".join(self.text.split())[:300]


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A step of a plan that reads a table or an index: how many rows it looked at, all its rounds together."""

    kind: str
    table: str
    index: str
    rows: float


@dataclass
class SentStatements:
    """What was sent since the last look."""

    sent: dict[SentStatement, None] = field(default_factory=dict)

    def take(self) -> list[SentStatement]:
        """All of it, each once."""
        taken, self.sent = list(self.sent), {}
        return taken

    def note(self, settings: list[str], query: asyncpg.connection.LoggedQuery) -> None:
        """Keep one, of a connection in whose transaction these `settings` hold."""
        text = query.query.strip()
        if text.startswith(_BEGIN):
            settings.clear()
        elif text.startswith(_SETS):
            settings.append(text)
        elif not text.startswith("EXPLAIN"):
            self.sent[SentStatement(text, tuple(map(_frozen, query.args)), tuple(settings))] = None


def _frozen(value: object) -> object:
    """As a value that can be put into a set; `thawed` is the way back."""
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return json.dumps(value) if isinstance(value, dict) else value


def _thawed(value: object) -> object:
    return [_thawed(one) for one in value] if isinstance(value, tuple) else value


@asynccontextmanager
async def noted(pool: asyncpg.Pool) -> AsyncIterator[SentStatements]:
    """Note what is sent over all connections of the pool."""
    sent, connections = SentStatements(), [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in connections:
        settings: list[str] = []
        connection.add_query_logger(lambda query, settings=settings: sent.note(settings, query))
    for connection in connections:
        await pool.release(connection)
    yield sent


class Explained:
    """A connection on which statements are carried out as the house's own, whose plans PostgreSQL tells."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._told: list[str] = []
        connection.add_log_listener(lambda _, message: self._told.append(message.message))

    @classmethod
    @asynccontextmanager
    async def on(cls, url: str) -> AsyncIterator["Explained"]:
        """One on a database."""
        connection = await asyncpg.connect(url, server_settings=PLANNER)
        await connection.execute(_EXPLAINING)
        yield cls(connection)
        await connection.close()

    async def nodes(self, statement: SentStatement) -> list[PlanNode]:
        """How a statement reads tables. What it writes is undone."""
        transaction = self._connection.transaction()
        await transaction.start()
        for setting in statement.settings:
            await self._connection.execute(setting)
        prepared = await self._connection.prepare(statement.text)
        self._told.clear()
        await prepared.fetch(*map(_thawed, statement.values))
        await self._connection.execute("SELECT 1")  # a plan is told when the next statement comes
        plans = [json.loads(one.partition("plan:")[2]) for one in self._told if "plan:" in one]
        await transaction.rollback()
        own = [plan["Plan"] for plan in plans if plan["Query Text"].strip() == statement.text]
        assert own, statement
        return [node for plan in own for node in _nodes(plan)]


def _nodes(plan: dict[str, Any]) -> Iterator[PlanNode]:
    if "Relation Name" in plan or "Index Name" in plan:
        names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        rows = sum(plan.get(name, 0) for name in names) * plan["Actual Loops"]
        (index, *others) = {
            name for part in (plan, *plan.get("Plans", ())) if (name := part.get("Index Name"))
        } or {""}
        yield PlanNode(plan["Node Type"], plan.get("Relation Name", ""), index if not others else "", rows)
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
