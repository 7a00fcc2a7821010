"""Every query of every page, with every filter, is answered by an index and reads no more than it needs."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import pytest
import uuid_utils.compat
from yarl import URL

import genpulse.console.pages
from genpulse.adapters.database.tasks import looks
from genpulse.api.schemas.tasks.filter import TaskListDocument
from genpulse.console.door import console_doors
from genpulse.console.options import ConsoleOptions
from genpulse.console.pages import bulk, now, tasks
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.search.failing_receiver import COUNTED_AT_MOST
from tests.integration.api.conftest import rows_on
from tests.integration.api.console import many_rows
from tests.integration.api.console.statement_plans import Explained, noted
from tests.kept_pool import KeptPools
from tests.laid_out import TEMPLATE
from tests.servers import TestServer, finished

LARGE = 1_000
"""Tables of fewer rows may be read whole."""
LOOKED_THROUGH, FEW = 500, 200
"""So many tasks are looked through here, where there are few, and before indexes in no order are asked."""
MOST, MOST_SAID = 600, 1_000
"""Rows that one step of a plan may look at, and entries: what a twentieth of all tasks say is not taken for rare.

A few more than are looked through are of the minutes by which clocks may differ.
"""
_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def grown(postgres: TestServer):
    name = f"pages_{uuid_utils.compat.uuid7().hex}"
    url = f"{postgres.url.rpartition('/')[0]}/{name}"
    finished(executed(postgres.url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY WAL_LOG"))
    finished(many_rows.fill(url))
    yield url
    finished(executed(postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))


async def executed(url, *statements):
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


OWNER = many_rows.OWNERS[0]
TODAY = datetime.now(UTC)
FILTERS = {
    "status": ("queued", "running", "succeeded", "failed", "canceled"),
    "kind": ("text-to-image", "text-to-speech", "text-to-video"),
    "provider": ("art", "rare", "none"),
    "model": ("art/easel", "rare/m", "none/m"),
    "key": (str(OWNER), str(many_rows.RARE_OWNER)),
    "batch": (str(many_rows.batch_id(7)), str(many_rows.batch_id(9999))),
    "ids": (str(UUID(int=7)),),
    "text": ("fox", "badger", "heron"),
    "code": ("provider_unavailable", "timeout", "moderation_blocked"),
    "metadata": ("customer=c7", "customer=rare", "customer=none"),
    "id_prefix": (f"{int(TODAY.timestamp() * 1000):012x}"[:6], "ff"),
    "created_after": ((TODAY - _DAY).isoformat(), TODAY.isoformat()),
    "created_before": ((TODAY - 20 * _DAY).isoformat(), (TODAY - 90 * _DAY).isoformat()),
    "who": ("nobody", "caller", "operator"),
    "limit": ("20",),
    "cursor": ("",),
}
"""Values of each filter of tasks: what is common, what is rare, and what there is none of."""
PAIRED = (
    ("status", "failed"),
    ("status", "queued"),
    ("provider", "art"),
    ("model", "rare/m"),
    ("text", "badger"),
    ("metadata", "customer=rare"),
    ("code", "timeout"),
    ("created_after", (TODAY - 20 * _DAY).isoformat()),
)
SINGLE = [(name, value) for name, values in FILTERS.items() for value in values]
WORDS = {
    "/compare": [{"task": "{task}"}],
    "/actions": [{"action": "cancel"}, {"action": "retry"}],
    "/playground": [{"from": "{task}"}, {"model": "art/easel"}],
    "/models": [{"text": "easel"}, {"provider": "art"}],
    "/webhooks": [{"origin": "https://0.example"}, {"origin": "https://none.example"}],
    "/log": [{"cursor": str(uuid_utils.compat.uuid7())}],
    "/environment": [{"doctor": ""}],
}
"""What else a page may be asked, beside the filters of tasks and the groups of usage."""
OF_TASKS = ("/tasks", "/gallery", "/actions", "/live/tasks", "/live/gallery")
OF_USAGE = ("/usage", "/usage.csv")
PLACES = {
    "task_id": ("{task}", "{failed}", "{running}", "{queued}"),
    "model_id:path": ("art/easel",),
    "name": ("art",),
}
"""What stands in paths."""
SKIPPED = {"/static/{name}", "/log-in"}
"""What asks the database for nothing."""
ADDRESSED = [
    call.path
    for _, call in console_doors(ConsoleOptions())[0]._calls
    if call.method == "GET" and call.path not in SKIPPED
]


def queries_of(path):
    """What a page is asked."""
    yield {}
    yield from WORDS.get(path, ())
    if path in OF_TASKS:
        first = WORDS.get(path, [{}])[0]
        yield from ({**first, name: value} for name, value in SINGLE)
    if path in OF_USAGE:
        for fields in ("day", "provider", "model", "key", "day,provider,model,key"):
            yield {"group_by": fields}
            yield {"group_by": fields, "from": (TODAY - 3 * _DAY).date().isoformat()}


def test_whatever_a_page_may_be_asked_is_tried():
    assert set(FILTERS) - {"who"} == set(TaskListDocument.model_fields)
    folder = Path(genpulse.console.pages.__file__).parent
    read = re.compile(r'(?:parameters|query_params)\.(?:get|getlist)\("(\w+)"')
    asked = {name for page in folder.glob("*.py") for name in read.findall(page.read_text("utf-8"))}
    known = {name for queries in WORDS.values() for query in queries for name in query}
    assert asked - known == {"next"}


class Pages:
    """Two who look at pages over a grown database: one who sees all, and one who sees its own."""

    def __init__(self, served, sent, explained, browsers, tasks):
        self._served = served
        self.sent = sent
        self.explained = explained
        self._browsers = browsers
        self._tasks = tasks

    def addresses(self, path, queries):
        """Of a page, with all that may stand in its path, asked for each of these."""
        ways = [path]
        for name, words in PLACES.items():
            ways = [
                way.replace(f"{{{name}}}", word)
                for way in ways
                for word in (words if f"{{{name}}}" in way else [""])
            ]
        for way in ways:
            for query in queries:
                address = f"{way}?{urlencode(query, safe='{}')}" if query else way
                for name, task in self._tasks.items():
                    address = address.replace(f"{{{name}}}", task)
                assert "{" not in address, f"say what stands in {path}"
                yield f"/console{address}"

    async def look(self, who, address):
        """The statements of a page."""
        browser = self._browsers[who]
        url = URL(self._served.url + address, encoded=True)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        async with self._served.client.get(url, headers=headers, allow_redirects=False) as answer:
            if "/live/" in address:
                await answer.content.readany()
            else:
                await answer.read()
        assert answer.status < 500, address
        return self.sent.take()


@pytest.fixture
def looks_at_few(monkeypatch):
    """So that to look at more than that is seen."""
    for module in (tasks, bulk, now):
        monkeypatch.setattr(module, "LOOKED_THROUGH", LOOKED_THROUGH)
    monkeypatch.setattr(bulk, "COUNTED_BY_WORDS", LOOKED_THROUGH)
    monkeypatch.setattr(looks, "FEW", FEW)
    monkeypatch.setattr(looks.TaskLooks, "gathered_ms", 60_000)


@pytest.fixture
async def pages(grown, served_console, log_in, looks_at_few):
    pools = KeptPools(grown)
    async with rows_on(grown, pools) as rows, Explained.on(grown) as explained:
        served = await served_console(**rows)
        async with noted(rows["store"]._pool) as sent:
            browsers = {}
            for who, scopes, key_id in (
                ("admin", {Scope.ADMIN}, uuid_utils.compat.uuid7()),
                ("own", {Scope.READ}, OWNER),
            ):
                await executed(grown, f"DELETE FROM api_keys WHERE id = '{key_id}'")
                _, browsers[who], _ = await log_in(served, frozenset(scopes), id=key_id)
            sent.take()
            yield Pages(served, sent, explained, browsers, await newest(grown))
    await pools.close()


async def newest(url):
    """A task of each state, of somebody who looks."""
    connection = await asyncpg.connect(url)
    statement = "SELECT id FROM tasks WHERE owner = $1 AND status = $2 ORDER BY id DESC LIMIT 1"
    states = {"task": "succeeded", "failed": "failed", "running": "running", "queued": "queued"}
    found = {name: str(await connection.fetchval(statement, str(OWNER), state)) for name, state in states.items()}
    await connection.close()
    return found


WHAT_WAITS = many_rows.WAITING + many_rows.RUNNING


def allowed(path, node):
    """So many rows a step may look at: more than a page needs only where all of something is counted."""
    if re.match("usage_|ledger_sums", node.table or node.index.removeprefix("pk_")):
        return many_rows.TASKS
    if "deliveries" in (node.table, node.index[3:13]):
        return many_rows.RECEIVERS * COUNTED_AT_MOST
    if node.table == "queue" or (path in OF_USAGE and node.index == "ix_tasks_live"):
        return WHAT_WAITS
    return MOST_SAID if node.kind == "Bitmap Index Scan" or node.table == "pg_type" else MOST


async def faults_of(pages, path, queries):
    """What reads more than it may, in words. Each statement is looked at once."""
    faults, seen = defaultdict(set), set()
    for who in ("admin", "own"):
        for address in pages.addresses(path, queries):
            for statement in await pages.look(who, address):
                if statement in seen:
                    continue
                seen.add(statement)
                for node in await pages.explained.nodes(statement):
                    if (node.kind == "Seq Scan" and node.rows > LARGE) or node.rows > allowed(path, node):
                        faults[statement.in_short].add((who, address, node))
    assert seen
    return "\n\n".join(f"{text}\n" + "\n".join(sorted(map(str, found))[:4]) for text, found in faults.items())


@pytest.mark.parametrize("path", ADDRESSED)
async def test_each_query_of_a_page_is_answered_by_an_index(pages, path):
    assert not await faults_of(pages, path, list(queries_of(path)))


@pytest.mark.slow
@pytest.mark.parametrize("other", PAIRED, ids=[name for name, _ in PAIRED])
async def test_each_query_of_two_filters_is_answered_by_an_index(pages, other):
    queries = [{name: value, other[0]: other[1]} for name, value in SINGLE]
    found = [await faults_of(pages, path, queries) for path in ("/tasks", "/gallery")]
    found.append(await faults_of(pages, "/actions", [{"action": "retry", **query} for query in queries]))
    assert not any(found), "\n\n".join(found)
