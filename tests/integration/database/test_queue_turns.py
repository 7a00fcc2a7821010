"""How claims in turns find their entries: by an index, however many wait."""

import json
from collections.abc import Iterator

import asyncpg
import pytest
import uuid_utils.compat

from genpulse.adapters.database.statements import claims
from genpulse.adapters.database.statements.turns import LOOKS_BEYOND
from genpulse.adapters.postgresql.session_settings import PLANNER
from tests.laid_out import TEMPLATE

WORKER = uuid_utils.compat.uuid7()
WAITING = 3000
ROOM = 20
_FILL = """
WITH made AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at)
SELECT gen_random_uuid(), 'dev', (n % $1)::text, 'any', 'sandbox', 'sandbox/noop', 'queued', 0, '{}', '{}', now()
FROM generate_series(1, $2::int) AS n
RETURNING id, owner)
INSERT INTO queue (task_id, owner, provider, priority, due_at)
SELECT id, owner, 'sandbox', 0, now() + $3::interval FROM made
"""
_ALIVE = "INSERT INTO workers (id, name, lease, lease_until) VALUES ($1, 'w', '1 hour', now() + interval '1 hour')"


@pytest.fixture
async def connection(migrated_url):
    connection = await asyncpg.connect(migrated_url, server_settings=PLANNER)
    await connection.execute(_ALIVE, WORKER)
    yield connection
    await connection.close()


async def fill(connection, owners, waiting=WAITING, due="-1 hour"):
    await connection.execute(_FILL.replace("$3::interval", f"interval '{due}'"), owners, waiting)


def ids(room=ROOM):
    return [uuid_utils.compat.uuid7() for _ in range(room)]


async def claimed(connection, statement, room=ROOM):
    """The owners of what a claim takes."""
    rows = await connection.fetch(statement, WORKER, "w", ids(room), "sandbox")
    return [row["owner"] for row in rows if row["id"] is not None]


async def explained(connection, statement):
    """Every node of the plan of a claim that is carried out and rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", WORKER, "w", ids(), "sandbox")
    await transaction.rollback()
    return list(nodes(json.loads(plan)[0]["Plan"]))


def nodes(node) -> Iterator[dict]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("owners", [1, 2, 10, 1000])
@pytest.mark.parametrize("way", ["plain", "in_turn"])
async def test_a_claim_reads_few_rows_however_many_wait(connection, owners, way):
    await fill(connection, owners)
    read = await explained(connection, getattr(claims.CLAIM, way))
    rows = [node["Actual Rows"] * node["Actual Loops"] for node in read]
    assert max(rows) < WAITING / 10
    of_queue = [node for node in read if node.get("Relation Name") == "queue" and "Scan" in node["Node Type"]]
    assert {node["Node Type"] for node in of_queue} <= {"Index Scan", "Index Only Scan"}
    assert "ix_queue_owners" in {node["Index Name"] for node in of_queue}
    assert all(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] <= ROOM for node in of_queue)
    of_keys = {node["Index Name"] for node in read if node.get("Relation Name") == "api_keys"}
    assert of_keys == ({"ix_api_keys_weight"} if way == "in_turn" else set())


_STATISTICS = {
    "never": (),
    "of_an_empty_queue": ("ANALYZE",),
    "of_few": ("30", "ANALYZE"),
    "of_many": ("6000", "ANALYZE"),
    "of_what_was_claimed": ("6000", "UPDATE queue SET lease = task_id, worker = task_id", "ANALYZE"),
    "of_what_is_claimed_by_half": (
        "6000",
        "UPDATE queue SET lease = task_id, worker = task_id WHERE task_id::text < '8'",
        "ANALYZE",
    ),
    "of_what_is_due_tomorrow": ("6000", "UPDATE queue SET due_at = now() + interval '1 day'", "ANALYZE"),
    "of_what_was_given_back": ("6000", "UPDATE queue SET begun = true", "ANALYZE"),
    "of_another_provider": ("6000", "UPDATE queue SET provider = 'other'", "ANALYZE"),
    "of_another_priority": ("6000", "UPDATE queue SET priority = 10", "ANALYZE"),
    "of_what_was_put_off": ("6000", "UPDATE queue SET deferred = true, limited = true", "ANALYZE"),
    "of_a_queue_that_was_emptied": ("6000", "DELETE FROM queue", "VACUUM ANALYZE"),
}
_ONE_BEFORE_THE_OTHERS = "UPDATE queue SET owner = 'long' WHERE owner < '5'"
_LATER = "UPDATE queue SET due_at = due_at + interval '1 minute' WHERE owner <> 'long'"


@pytest.fixture(scope="module", params=_STATISTICS)
async def statistics(request, copied):
    """The name of a database without entries, with what PostgreSQL believes of its tables."""
    with copied(TEMPLATE) as url:
        connection = await asyncpg.connect(url)
        await connection.execute(_ALIVE, WORKER)
        for step in _STATISTICS[request.param]:
            if step.isdigit():
                await fill(connection, 10, int(step))
            else:
                await connection.execute(step)
        await connection.execute("DELETE FROM queue")
        await connection.close()
        yield url.rpartition("/")[2]


@pytest.fixture
def believing_url(copied, statistics):
    """A copy of it: to count anew, and to vacuum, takes longer than to copy what came of that."""
    with copied(statistics) as url:
        yield url


def skipped(node):
    """Rows that were read and not wanted."""
    removed = (count for name, count in node.items() if name.startswith("Rows Removed"))
    return sum(removed) * node["Actual Loops"]


@pytest.mark.parametrize("owners", [2, 10, 1000, "one with much before the others"])
async def test_a_claim_in_turns_reads_what_it_takes(believing_url, owners):
    connection = await asyncpg.connect(believing_url, server_settings=PLANNER)
    await fill(connection, owners if isinstance(owners, int) else 10)
    if not isinstance(owners, int):
        await connection.execute(_ONE_BEFORE_THE_OTHERS)
        await connection.execute(_LATER)
    found = {}
    for name, provider in (("CLAIM", "sandbox"), ("CLAIM_NEW", "sandbox"), ("CLAIM_ANY", ["sandbox"])):
        transaction = connection.transaction()
        await transaction.start()
        statement = f"EXPLAIN (ANALYZE, FORMAT JSON) {getattr(claims, name).in_turn}"
        plan = json.loads(await connection.fetchval(statement, WORKER, "w", ids(), provider))
        await transaction.rollback()
        of_queue = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "queue"]
        assert of_queue
        found |= {
            (name, node["Index Name"], node.get("Index Cond"), node.get("Filter")): skipped(node)
            for node in of_queue
            if node["Actual Rows"] * node["Actual Loops"] > 10 * ROOM or skipped(node) > ROOM
        }
    await connection.close()
    assert not found


async def test_a_plain_claim_takes_all_of_one_owner_and_nothing_where_there_are_two(connection):
    await fill(connection, 1, 30)
    assert await claimed(connection, claims.CLAIM.plain) == ["0"] * ROOM
    assert not await connection.fetch("SELECT FROM queue_turns")
    await connection.execute(
        _FILL.replace("$3::interval", "interval '-1 h'").replace("(n % $1)", "(n + $1)"), 7, 1
    )
    assert await claimed(connection, claims.CLAIM.plain) == []
    assert sorted(set(await claimed(connection, claims.CLAIM.in_turn))) == ["0", "8"]


async def test_owners_of_which_nothing_is_due_are_passed_a_part_at_a_time(connection):
    """However many there are, the others are found, and what is due runs meanwhile."""
    rest = 3 * LOOKS_BEYOND
    await fill(connection, rest, rest, "1 hour")
    await connection.execute("UPDATE queue SET owner = 'm' || owner")
    for owner, waiting in (("a", 100), ("z", 1)):
        await fill(connection, 1, waiting)
        await connection.execute("UPDATE queue SET owner = $1 WHERE owner = '0'", owner)
        await connection.execute("UPDATE tasks SET owner = $1 WHERE owner = '0'", owner)
    found = [await claimed(connection, claims.CLAIM.in_turn, 2) for _ in range(8)]
    assert all(len(owners) == 2 for owners in found)
    assert "z" in {owner for owners in found for owner in owners}


async def test_a_claim_waits_for_no_other_that_moves_the_turn(connection, migrated_url):
    await fill(connection, 2)
    await claimed(connection, claims.CLAIM.in_turn)
    other = await asyncpg.connect(migrated_url, server_settings={**PLANNER, "lock_timeout": "1s"})
    async with connection.transaction():
        await claimed(connection, claims.CLAIM.in_turn)
        assert len(await claimed(other, claims.CLAIM.in_turn)) == ROOM
    await other.close()
