"""Every filter of the list of tasks finds its page by an index, with the planner as PostgreSQL ships it."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import asyncpg
import pytest
import uuid_utils.compat
from pydantic_core import to_json

from genpulse.adapters.database.statements.columns import ONE_OF_MANY
from genpulse.adapters.database.statements.search import looks as statements
from genpulse.adapters.database.statements.search import searches
from genpulse.adapters.database.statements.search.searches import Statement
from genpulse.adapters.database.tasks.looks import TaskLooks
from genpulse.adapters.database.tasks.rows import task_of, uuid_of
from genpulse.adapters.database.tasks.search import BY_THEIR_VALUES, TaskSearch
from genpulse.adapters.memory.tasks.search import fits
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.failure import FailureCode
from genpulse.domain.search.looked_through import LookedThrough
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus
from tests.laid_out import TEMPLATE
from tests.servers import TestServer, finished

ROWS = 30_000
# A task a second, of which the oldest hundredth is of a customer, a key and a model that came to nothing since.
_FILL = f"""
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, attempt, seq,
                   created_at, started_at, finished_at, error, cancel_requested_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid,
       'dev', CASE WHEN is_old THEN 'gone' WHEN n % 2 = 0 THEN '' ELSE 'k' || n % 50 END,
       CASE WHEN is_old THEN 'old' ELSE 'any' END, CASE WHEN is_old THEN 'gone' ELSE 'p' || n % 3 END,
       CASE WHEN is_old THEN 'gone/m' ELSE 'p' || n % 3 || '/m' || n % 5 END, state, 0,
       jsonb_build_object('prompt', CASE WHEN is_old THEN 'a badger' ELSE 'a fox' END || ' at dawn, no. ' || n),
       CASE WHEN is_old THEN '{{"customer": "gone"}}' WHEN n % 3 = 0 THEN '{{}}'
            ELSE jsonb_build_object('customer', 'c' || n % 400) END,
       1, 1, at, at, CASE WHEN state NOT IN ('queued', 'running') THEN at END,
       CASE WHEN state = 'failed' THEN jsonb_build_object(
           'code', CASE WHEN is_old THEN 'timeout' ELSE 'internal' END, 'message', '', 'retryable', true,
           'charged', 'no', 'who_must_act', 'nobody', 'retry_after_s', null) END,
       CASE WHEN state = 'canceled' THEN at END
FROM generate_series(1, {ROWS}) AS n,
     LATERAL (SELECT now() - ({ROWS} - n) * interval '1 s' AS at, n <= {ROWS} / 100 AS is_old) AS made,
     LATERAL (SELECT CASE WHEN n > {ROWS} - 300 THEN 'queued' WHEN n % 41 = 0 OR is_old AND n % 2 = 0 THEN 'failed'
                          WHEN n % 50 = 1 THEN 'canceled' ELSE 'succeeded' END AS state) AS stood
"""
RARE = {
    "codes": TaskFilter(codes=(FailureCode.TIMEOUT,)),
    "kinds": TaskFilter(kinds=("old",)),
    "providers": TaskFilter(providers=("gone",)),
    "models": TaskFilter(models=("gone/m",)),
    "owners": TaskFilter(owners=("gone",)),
    "metadata": TaskFilter(metadata=(("customer", ("gone",)),)),
    "texts": TaskFilter(texts=("badger",)),
}
INDEXES = {
    "codes": "ix_tasks_code_id",
    "kinds": "ix_tasks_kind_id",
    "providers": "ix_tasks_provider_id",
    "models": "ix_tasks_model_id",
    "owners": "ix_tasks_owner_id",
    "metadata": "ix_tasks_metadata",
    "texts": "ix_tasks_words",
}
SEVERAL = {
    "codes": TaskFilter(codes=(FailureCode.TIMEOUT, FailureCode.INTERNAL)),
    "kinds": TaskFilter(kinds=("old", "any")),
    "providers": TaskFilter(providers=("gone", "p1")),
    "models": TaskFilter(models=("gone/m", "p1/m1")),
    "owners": TaskFilter(owners=("gone", "k1")),
    "metadata": TaskFilter(metadata=(("customer", ("gone", "none")),)),
    "texts": TaskFilter(texts=("badger", "heron")),
}
STATES = {
    TaskStatus.QUEUED: "ix_tasks_live",
    TaskStatus.RUNNING: "ix_tasks_live",
    TaskStatus.SUCCEEDED: "ix_tasks_ended_well",
    TaskStatus.FAILED: "ix_tasks_failed",
    TaskStatus.CANCELED: "ix_tasks_canceled",
}
PAGE = 21


@pytest.fixture(scope="module")
def grown(postgres: TestServer):
    """A database with many tasks."""
    name = f"grown_{uuid_utils.compat.uuid7().hex}"
    url = f"{postgres.url.rpartition('/')[0]}/{name}"
    finished(executed(postgres.url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY WAL_LOG"))
    finished(executed(url, _FILL, "VACUUM ANALYZE tasks"))
    yield url
    finished(executed(postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))


async def executed(url, *statements):
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def pool(grown):
    pool = await open_pool(grown, size=2, application_name="tests", environment="dev")
    yield pool
    await pool.close()


@pytest.fixture
async def planned(grown):
    """How PostgreSQL finds a page: its planner may read whole tables, as it is shipped."""
    connection = await asyncpg.connect(grown)

    async def plan(statement):
        await connection.execute(f"PREPARE asked AS {statement.text}")
        given = ", ".join(map(literal, statement.values))
        execute = f"EXECUTE asked({given})" if given else "EXECUTE asked"
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS OFF) {execute}")
        await connection.execute("DEALLOCATE asked")
        return "\n".join(row[0] for row in rows)

    async def plans(query):
        """What is asked first, and what is asked where that did not fill the page."""
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        asked, *more = searches.first(query)
        plans = [await plan(statement) for statement in (asked, *more)]
        if asked.is_whole:
            return plans[0], ""
        async with connection.transaction():
            await connection.execute(BY_THEIR_VALUES)
            return "\n".join(plans), await plan(searches.by_all_indexes(query))

    yield plans
    await connection.close()


def literal(value):
    """A value as SQL has it."""
    if isinstance(value, list):
        return f"'{{{', '.join(map(str, value))}}}'"
    text = to_json(value).decode() if isinstance(value, dict) else str(value)
    return f"'{text}'" if not isinstance(value, int) else text


def rows_read(plan):
    """The most rows that any step of a plan gave or threw away."""
    found = re.findall(r"rows=([0-9.]+) loops=|Rows Removed by [\w ]+: (\d+)", plan)
    return max(float(one or other) for one, other in found)


@pytest.mark.parametrize("field", RARE)
@pytest.mark.parametrize("wanted", [RARE, SEVERAL], ids=["one", "several"])
async def test_each_field_finds_its_page_by_its_index(planned, pool, field, wanted):
    query = TaskQuery(PAGE, filter=wanted[field])
    asked, rare = await planned(query)
    assert INDEXES[field] in (rare or asked)
    assert "Seq Scan on tasks" not in asked + rare
    assert rows_read(asked) <= searches.LOOKED_THROUGH
    page = await TaskSearch(pool).find(query)
    assert len(page) == PAGE
    assert all(fits(task, wanted[field]) for task in page)


@pytest.mark.parametrize("status", STATES)
async def test_each_status_finds_its_page_by_its_index(planned, status):
    asked, _ = await planned(TaskQuery(PAGE, filter=TaskFilter(statuses=(status,))))
    assert STATES[status] in asked
    assert rows_read(asked) <= 300


async def test_ids_and_moments_find_their_page_by_id(planned, pool):
    (last,) = await TaskSearch(pool).find(TaskQuery(1, filter=RARE["kinds"]))
    moments = TaskFilter(created_after=last.created_at - timedelta(minutes=5), created_before=last.created_at)
    for wanted in (TaskFilter(ids=(last.id,)), TaskFilter(id_range=(last.id, last.id)), moments, TaskFilter()):
        asked, rare = await planned(TaskQuery(PAGE, filter=wanted))
        assert "pk_tasks" in asked
        assert not rare
        assert rows_read(asked) <= 60 * 10 + PAGE
    page = await TaskSearch(pool).find(TaskQuery(100, filter=moments))
    assert len(page) == 100
    assert all(fits(task, moments) for task in page)


@pytest.mark.parametrize(
    "more",
    [
        {"statuses": (TaskStatus.FAILED,)},
        {"models": ("p1/m1",)},
        {"kinds": ("any",), "providers": ("p1",)},
        {"metadata": (("customer", ("c51",)),)},
        {"texts": ("10151",)},
    ],
)
async def test_what_belongs_to_a_key_is_found_among_its_own(planned, pool, more):
    wanted = TaskFilter(owners=("k1",), **more)
    asked, rare = await planned(TaskQuery(PAGE, filter=wanted))
    assert "ix_tasks_owner_id" in asked
    assert "Seq Scan on tasks" not in asked + rare
    assert rows_read(asked) <= searches.LOOKED_THROUGH
    page = await TaskSearch(pool).find(TaskQuery(PAGE, filter=wanted))
    assert page
    assert all(fits(task, wanted) for task in page)


async def test_what_is_common_is_found_among_the_newest(planned):
    asked, _ = await planned(TaskQuery(PAGE, filter=TaskFilter(texts=("fox",), metadata=())))
    assert "ix_tasks_words" not in asked
    assert rows_read(asked) <= PAGE


PAIRED = (
    {"statuses": (TaskStatus.SUCCEEDED,)},
    {"statuses": (TaskStatus.FAILED,)},
    {"statuses": (TaskStatus.RUNNING, TaskStatus.CANCELED)},
    {"codes": (FailureCode.INTERNAL,)},
    {"providers": ("p1",)},
    {"providers": ("p0", "gone")},
    {"models": ("p1/m1",)},
    {"owners": ("k1",)},
    {"owners": ("",)},
    {"texts": ("fox dawn",)},
    {"texts": ("badger",)},
    {"metadata": (("customer", ("c7", "gone")),)},
    {"created_after": timedelta(hours=8)},
    {"created_before": timedelta(hours=8)},
)


@pytest.fixture
async def everything(pool):
    """All tasks, newest first."""
    rows = await pool.fetch(f"SELECT {ONE_OF_MANY} FROM tasks ORDER BY id DESC")
    return [task_of(row) for row in rows]


@pytest.mark.parametrize("looked_through", [pytest.param(50, marks=pytest.mark.slow), 1000])
async def test_a_page_is_the_newest_of_all_that_fits(pool, everything, monkeypatch, looked_through):
    monkeypatch.setattr(searches, "LOOKED_THROUGH", looked_through)
    latest = everything[0].created_at
    for one, other in combinations(PAIRED, 2):
        wanted = combined(one, other, latest)
        fitting = [task.id for task in everything if fits(task, wanted)]
        first = await TaskSearch(pool).find(TaskQuery(PAGE, filter=wanted))
        assert [task.id for task in first] == fitting[:PAGE], wanted
        if len(fitting) > PAGE:
            more = await TaskSearch(pool).find(TaskQuery(PAGE, first[-1].id, wanted))
            assert [task.id for task in more] == fitting[PAGE : 2 * PAGE], wanted
        oldest = await TaskSearch(pool).find(TaskQuery(PAGE, filter=wanted, oldest_first=True))
        assert [task.id for task in oldest] == fitting[::-1][:PAGE], wanted


def combined(one, other, latest):
    """A filter of both, with spans of time as moments before the latest task."""
    wanted = {**one, **other}
    return TaskFilter(
        **{name: latest - value if isinstance(value, timedelta) else value for name, value in wanted.items()}
    )


async def test_a_look_finds_all_that_fits_as_far_back_as_it_says(pool, everything):
    latest = everything[0].created_at
    for one, other in combinations(PAIRED, 2):
        wanted, before = combined(one, other, latest), None
        fitting = [task.id for task in everything if fits(task, wanted)]
        for _ in range(3):
            page = await TaskLooks(pool).look(TaskQuery(PAGE, before, wanted), 2000)
            counted = await TaskLooks(pool).count(TaskQuery(PAGE, before, wanted), 2000)
            left = [task_id for task_id in fitting if before is None or task_id < before]
            seen = [task_id for task_id in left if page.back_to is None or task_id >= page.back_to]
            assert [task.id for task in page.matches] == seen, wanted
            seen = [task_id for task_id in left if counted.back_to is None or task_id >= counted.back_to]
            assert sum(group.count for group in counted.matches) == len(seen), wanted
            before = page.back_to
            if before is None:
                break


class PatientLooks(TaskLooks):
    gathered_ms = 60_000


class HastyLooks(TaskLooks):
    gathered_ms = 1


@pytest.mark.parametrize("field", RARE)
@pytest.mark.parametrize("more", [{}, {"statuses": (TaskStatus.SUCCEEDED, TaskStatus.FAILED)}], ids=["one", "two"])
async def test_what_is_rare_is_found_at_once(pool, field, more):
    wanted = replace(RARE[field], **more)
    looks = PatientLooks(pool)
    page = await looks.look(TaskQuery(PAGE, filter=wanted), 1000)
    assert page.matches == await TaskSearch(pool).find(TaskQuery(PAGE, filter=wanted))
    assert len(page.matches) == PAGE
    if more or field != "texts":  # words of what waits, of any status, are in no index
        assert (await looks.count(TaskQuery(filter=wanted), 1000)).back_to is None


async def test_an_index_that_is_read_for_too_long_is_left(pool, monkeypatch):
    sleeps = Statement("SELECT 0 AS looked FROM pg_sleep(60)", ())
    looks = HastyLooks(pool)
    monkeypatch.setattr(statements, "page_of_all", lambda *_: sleeps)
    monkeypatch.setattr(statements, "count_of_all", lambda *_: sleeps)
    page = await looks.look(TaskQuery(PAGE, filter=RARE["metadata"]), 1500)
    assert (page.matches, page.back_to) == ((), await nth_newest(pool, 1500))
    counted = await looks.count(TaskQuery(filter=RARE["metadata"]), 1500)
    assert (counted.matches, counted.back_to) == ((), page.back_to)


async def nth_newest(pool, number):
    return uuid_of(await pool.fetchval("SELECT id FROM tasks ORDER BY id DESC OFFSET $1 LIMIT 1", number - 1))


async def test_a_code_of_what_did_not_fail_is_asked_for_nowhere(pool):
    wanted = TaskFilter(codes=(FailureCode.INTERNAL,), statuses=(TaskStatus.SUCCEEDED,))
    assert await TaskSearch(pool).find(TaskQuery(PAGE, filter=wanted)) == ()
    assert await TaskLooks(pool).look(TaskQuery(PAGE, filter=wanted), 10) == LookedThrough()
    assert await TaskLooks(pool).count(TaskQuery(PAGE, filter=wanted), 10) == LookedThrough()
