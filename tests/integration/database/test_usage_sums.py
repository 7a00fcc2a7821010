"""Sums of usage say what tasks and ledger say, whatever is written, and whenever it is committed."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from genpulse.adapters.database.money.usage_sums import SETTLED_AFTER, UsageSums
from genpulse.adapters.database.statements.search import usage, usage_sums
from genpulse.adapters.database.statements.search.conditions import Values
from genpulse.adapters.database.tasks.search import ALL_OF_THEM, BY_THEIR_VALUES, _spans, _usage_of
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.session_settings import PLANNER
from genpulse.domain.search.task_query import ids_made_in
from genpulse.domain.search.usage import UsageField, UsageQuery
from genpulse.domain.search.usage_spans import TimeSpan, UsageSpans
from tests.contract.machine_run import run_on_postgresql
from tests.drawn import examples
from tests.integration.database.test_console_queries import nodes
from tests.tables import emptied

TABLES = (
    "tasks",
    "tombstones",
    "ledger",
    "ledger_sums",
    "ledger_mark",
    "usage_hours",
    "usage_sums",
    "usage_days",
    "usage_changes",
)
NOW = datetime.now(UTC)
HOURS = [NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=age) for age in (0, 5, 6, 9, 60)]
MODELS = (("art", "art/easel"), ("art", "art/print"), ("film", "film/reel"))
OWNERS = ("", "anna", "bert")
PRICES = (None, Decimal(0), Decimal("0.04"), Decimal("1.5"))
COSTS = (None, "0", "0.03", "2.250", "NaN", "-1", "1E-7", "many")
FIELDS = tuple(field for field in UsageField if field is not UsageField.STATUS)
QUERIES = [
    UsageQuery(NOW - timedelta(days=3), NOW + timedelta(days=1), FIELDS),
    UsageQuery(HOURS[4], HOURS[1], (), owner="anna"),
    UsageQuery(HOURS[2] + timedelta(minutes=20), HOURS[1] + timedelta(minutes=40), (UsageField.MODEL,)),
]
INSERT = """
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at,
                   price_usd, finished_at)
VALUES ($1, 'dev', $2, 'any', $3, $4, $5, 0, '{}', '{}', $6, $7, CASE WHEN $5 <> 'queued' THEN $6::timestamptz END)
"""
END = """
UPDATE tasks SET status = $2, finished_at = now(), cost = $3::text::jsonb, seq = seq + 1000,
       cancel_requested_at = CASE WHEN $2 = 'canceled' THEN now() END
WHERE id = $1
"""
RETRY = "UPDATE tasks SET status = 'queued', finished_at = NULL, cost = NULL, seq = seq + 1000 WHERE id = $1"
MOVE = "UPDATE tasks SET provider = 'film', model = 'film/reel' WHERE id = $1"
TOMBSTONE = """
INSERT INTO tombstones (id, environment, owner, kind, provider, model, created_at, deleted_at, deleted_by, reason)
SELECT id, environment, owner, kind, provider, model, created_at, now(), '', 'request' FROM tasks WHERE id = $1
"""
ERASE = """
WITH erased AS (DELETE FROM tasks WHERE id = $1 RETURNING *)
UPDATE tombstones SET erased_at = now(), status = erased.status, price_usd = erased.price_usd,
       cost_usd = usage_cost(erased.cost ->> 'amount_usd')
FROM erased WHERE tombstones.id = erased.id
"""
ENTER = """
INSERT INTO ledger (task_id, attempt, kind, amount_usd, provider, model, owner, environment, day, source)
VALUES (gen_random_uuid(), 1, $1, $2, $3, $4, $5, 'dev', $6, 'price')
"""
STATE = "SELECT id, finished_at IS NOT NULL AS is_over FROM tasks ORDER BY id"


async def told(store, query):
    """What is told with sums, and what without; by one look each, while nobody writes."""
    values = Values()
    whole = UsageSpans((TimeSpan(query.start, query.end),))
    rows = await store._pool.fetch(usage.usage(query, whole, values), *values.given)
    counted = tuple(row for row in (_usage_of(row, query) for row in rows) if not row.is_nothing)
    return await store.usage_by(query), counted


class Sums(RuleBasedStateMachine):
    """Two writers, one of which commits when it likes, and two processes that sum up."""

    loop: asyncio.AbstractEventLoop
    real: PostgresTaskStore

    def __init__(self):
        super().__init__()
        self.late, self.at_once = (self.run(self.real._pool.acquire()) for _ in range(2))
        self.summing = [UsageSums(self.real._pool), UsageSums(self.real._pool)]
        self.transaction, self.taken, self.count = None, set(), 0

    def run(self, step):
        return self.loop.run_until_complete(step)

    def write(self, statement, *values, is_late, task_id=None):
        """A statement of one of the writers; what the late one has written waits for its commit."""
        if is_late and self.transaction is None:
            self.transaction = self.late.transaction()
            self.run(self.transaction.start())
        if is_late and task_id:
            self.taken.add(task_id)
        self.run((self.late if is_late else self.at_once).execute(statement, *values))

    def tasks(self, *, is_over=None):
        """Those that nobody holds."""
        rows = self.run(self.at_once.fetch(STATE))
        return [row["id"] for row in rows if row["id"] not in self.taken and is_over in {None, row["is_over"]}]

    def choose(self, data, **which):
        """One of them, or None."""
        tasks = self.tasks(**which)
        return data.draw(st.sampled_from(tasks)) if tasks else None

    @rule(
        hour=st.sampled_from(HOURS),
        minutes=st.integers(0, 59),
        status=st.sampled_from(["queued", "queued", "succeeded"]),
        model=st.sampled_from(MODELS),
        owner=st.sampled_from(OWNERS),
        price=st.sampled_from(PRICES),
        is_late=st.booleans(),
    )
    def submit(self, hour, minutes, status, model, owner, price, is_late):
        at = hour + timedelta(minutes=minutes)
        self.count += 1
        task_id = type(ids_made_in(at, None)[0])(int=(int(at.timestamp() * 1000) << 80) + self.count)
        self.write(INSERT, task_id, owner, *model, status, at, price, is_late=is_late, task_id=task_id)

    @rule(
        data=st.data(),
        status=st.sampled_from(["succeeded", "canceled"]),
        cost=st.sampled_from(COSTS),
        is_late=st.booleans(),
    )
    def end(self, data, status, cost, is_late):
        if task_id := self.choose(data, is_over=False):
            document = None if cost is None else json.dumps({"amount_usd": cost})
            self.write(END, task_id, status, document, is_late=is_late, task_id=task_id)

    @rule(data=st.data(), cost=st.sampled_from(COSTS), is_late=st.booleans())
    def end_while_young(self, data, cost, is_late):
        """As before two hours were over, when triggers note nothing: so before any look that closes the hour."""
        closed = {row["hour"] for row in self.run(self.at_once.fetch("SELECT hour FROM usage_hours"))}
        rows = self.run(self.at_once.fetch("SELECT id, created_at FROM tasks WHERE finished_at IS NULL"))
        young = [row["id"] for row in rows if row["created_at"].replace(minute=0) not in closed]
        young = [task_id for task_id in young if task_id not in self.taken]
        if young:
            for one in self.summing:
                one._fence = None
            task_id = data.draw(st.sampled_from(young))
            document = None if cost is None else json.dumps({"amount_usd": cost})
            self.write("SET session_replication_role = replica", is_late=is_late)
            self.write(END, task_id, "succeeded", document, is_late=is_late, task_id=task_id)
            self.write("SET session_replication_role = origin", is_late=is_late)

    @rule(data=st.data(), statement=st.sampled_from([RETRY, MOVE]), is_late=st.booleans())
    def change(self, data, statement, is_late):
        if task_id := self.choose(data, is_over=True):
            self.write(statement, task_id, is_late=is_late, task_id=task_id)

    @rule(data=st.data(), is_late=st.booleans(), keeps=st.booleans())
    def remove(self, data, is_late, keeps):
        if task_id := self.choose(data, is_over=True):
            if keeps:
                self.write(TOMBSTONE, task_id, is_late=is_late, task_id=task_id)
                self.write(ERASE, task_id, is_late=is_late, task_id=task_id)
            else:
                self.write("DELETE FROM tasks WHERE id = $1", task_id, is_late=is_late, task_id=task_id)

    @precondition(lambda self: self.transaction is None)
    @rule()
    def forget_tombstones(self):
        self.write("DELETE FROM tombstones", is_late=False)

    @rule(
        kind=st.sampled_from(["reserved", "settled", "released", "refunded"]),
        usd=st.sampled_from([price for price in PRICES if price]),
        model=st.sampled_from(MODELS),
        owner=st.sampled_from(OWNERS),
        hour=st.sampled_from(HOURS),
        is_late=st.booleans(),
    )
    def enter(self, kind, usd, model, owner, hour, is_late):
        self.write(ENTER, kind, usd, *model, owner, hour.date(), is_late=is_late)

    @precondition(lambda self: self.transaction is None)
    @rule(kind=st.sampled_from(["reserved", "settled"]))
    def forget_entries(self, kind):
        self.write("DELETE FROM ledger WHERE kind = $1", kind, is_late=False)

    @precondition(lambda self: self.transaction is None)
    @rule()
    def be_elsewhere(self):
        """The sums of another database are none of ours."""
        self.write("UPDATE ledger_mark SET identity = 'other', transaction = transaction + 1000000", is_late=False)

    @precondition(lambda self: self.transaction is not None)
    @rule(is_kept=st.sampled_from([True, True, False]))
    def commit(self, is_kept):
        self.run(self.transaction.commit() if is_kept else self.transaction.rollback())
        self.run(self.late.execute("SET session_replication_role = origin"))
        self.transaction, self.taken = None, set()

    @rule(one=st.sampled_from([0, 1]), times=st.integers(1, 4))
    def sum_up(self, one, times):
        for _ in range(times):
            self.run(self.summing[one].sum_up())

    @invariant()
    def sums_say_what_tasks_and_ledger_say(self):
        for query in QUERIES:
            summed, counted = self.run(told(self.real, query))
            assert summed == counted

    def teardown(self):
        if self.transaction:
            self.run(self.transaction.rollback())
        self.run(self.real._pool.execute(emptied(TABLES)))
        for connection in (self.late, self.at_once):
            self.run(self.real._pool.release(connection))


@pytest.mark.hypothesis
def test_for_every_order_of_writes_and_commits_sums_are_right(migrated_url):
    run_on_postgresql(Sums, migrated_url, lambda store, _: store, examples=examples(40))


@pytest.fixture
async def writer(migrated_url):
    connection = await asyncpg.connect(migrated_url, server_settings=PLANNER)
    yield connection
    await connection.close()


@pytest.fixture
async def store(pools):
    async with pools.lent(3) as pool:
        store = PostgresTaskStore(pool)
        yield store
        await store.close()


async def write_task(writer, hour=HOURS[2], status="succeeded", number=1):
    task_id = type(ids_made_in(hour, None)[0])(int=(int(hour.timestamp() * 1000) << 80) + number)
    await writer.execute(
        INSERT,
        task_id,
        "anna",
        *MODELS[0],
        status,
        hour,
        PRICES[2],
    )
    return task_id


async def closed_hours(writer):
    return {row["hour"] for row in await writer.fetch("SELECT hour FROM usage_hours")}


async def summed_up(store, writer, is_done):
    """Sum up until it is done: transactions of others in this server hold it up."""
    for _ in range(600):
        await store.sum_usage()
        if is_done(await closed_hours(writer)):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("nothing was closed")


async def right(store):
    for query in QUERIES:
        summed, counted = await told(store, query)
        assert summed == counted


async def test_hours_that_are_over_for_long_are_told_by_sums_alone(store, writer):
    for number in range(3):
        await write_task(writer, HOURS[3], number=number)
    await write_task(writer, HOURS[2])
    await write_task(writer, HOURS[0])
    await summed_up(store, writer, lambda hours: HOURS[2] in hours)
    # From the oldest task on, and none that is not over for three hours.
    closed = await closed_hours(writer)
    assert min(closed) == HOURS[3]
    assert max(closed) + timedelta(hours=1) + SETTLED_AFTER <= datetime.now(UTC)
    await right(store)
    await writer.execute("SET session_replication_role = replica")
    await writer.execute("DELETE FROM tasks")
    await writer.execute("SET session_replication_role = origin")
    (row,) = await store.usage_by(UsageQuery(HOURS[3], HOURS[1]))
    assert (row.count, row.price_usd) == (4, 4 * PRICES[2])


async def test_an_hour_stays_open_while_a_transaction_may_still_change_it_without_a_note(
    store, writer, migrated_url
):
    task_id = await write_task(writer, status="queued")
    await write_task(writer, HOURS[3])
    late = await asyncpg.connect(migrated_url)
    async with late.transaction():
        await late.execute("SET LOCAL session_replication_role = replica")
        await late.execute(END, task_id, "succeeded", None)
        for _ in range(5):
            await store.sum_usage()
        assert await closed_hours(writer) == set()
        await right(store)
    await late.close()
    await right(store)
    await summed_up(store, writer, lambda hours: HOURS[2] in hours)
    await right(store)


async def test_an_entry_of_an_earlier_number_that_is_committed_later_is_summed_up(store, writer, migrated_url):
    async def enter(connection, usd):
        await connection.execute(ENTER, "settled", Decimal(usd), *MODELS[0], "anna", HOURS[3].date())

    async def spent():
        (row,) = await store.usage_by(QUERIES[1])
        await right(store)
        return row.money.settled_usd

    late = await asyncpg.connect(migrated_url)
    await write_task(writer, HOURS[3])
    await enter(writer, "0.1")
    async with late.transaction():
        await enter(late, "10")
        await enter(writer, "0.2")
        for _ in range(3):
            await store.sum_usage()
        await enter(writer, "0.3")
        assert await spent() == Decimal("0.6")
    await late.close()
    for _ in range(3):
        assert await spent() == Decimal("10.6")
        await store.sum_usage()
    await writer.execute("DELETE FROM ledger WHERE amount_usd = 10")
    assert await spent() == Decimal("0.6")


async def test_only_one_process_sums_up(store, writer, migrated_url):
    other = await asyncpg.connect(migrated_url)
    await write_task(writer, HOURS[3])
    async with other.transaction():
        assert await other.fetchval(usage_sums.TURN)
        for _ in range(3):
            assert not await store.sum_usage()
    assert await closed_hours(writer) == set()
    await other.close()


MANY = """
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at,
                   finished_at, price_usd)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid,
       'dev', 'anna', 'any', 'art', 'art/' || n % 3, 'succeeded', 0, '{{}}', '{{}}', at, at, 0.04
FROM generate_series(1, {count}) AS n,
     LATERAL (SELECT now() - interval '10 days' * n / {count} AS at) AS made
"""
ENTRIES = """
INSERT INTO ledger (task_id, attempt, kind, amount_usd, provider, model, owner, environment, day, source)
SELECT id, 1, 'reserved', 0.04, provider, model, owner, 'dev', created_at::date, 'price' FROM tasks
"""
COUNT = 24_000


async def test_the_question_reads_sums_and_few_tasks(store, writer):
    await writer.execute(MANY.format(count=COUNT))
    await writer.execute(ENTRIES)
    oldest = await writer.fetchval("SELECT min(created_at) FROM tasks")
    await summed_up(store, writer, lambda hours: hours and min(hours) <= oldest)
    while await writer.fetchval("SELECT transaction <= (SELECT max(transaction) FROM ledger) FROM ledger_mark"):
        await store.sum_usage()
    for table in ("tasks", "ledger", "ledger_sums", "usage_sums", "usage_days", "usage_hours"):
        await writer.execute(f"VACUUM ANALYZE {table}")
    query, values = UsageQuery(NOW - timedelta(days=30), datetime.now(UTC), FIELDS), Values()
    async with writer.transaction(isolation="repeatable_read"):
        await writer.execute(f"{BY_THEIR_VALUES}; {ALL_OF_THEM}")
        statement = usage.usage(query, await _spans(writer, query), values)
        told = await writer.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values.given)
    read = Counter()
    for node in nodes(json.loads(told)[0]["Plan"]):
        if "Relation Name" in node:
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read[node["Relation Name"]] += rows * node["Actual Loops"]
    # What came in the hours that are not closed, a little around it, and no entry.
    assert read["tasks"] < COUNT / 240 * 8
    assert read["ledger"] == 0
    assert read["usage_sums"] < 3 * 50
    assert read["usage_days"] <= 3 * 11
    (row,) = await store.usage_by(replace(query, fields=()))
    assert (row.count, row.money.reserved_usd) == (COUNT, COUNT * PRICES[2])
