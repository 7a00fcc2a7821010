"""A database that is restored from a backup: what was ordered after the backup is not paid for twice."""

import asyncio
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from genpulse.adapters.database.schema.environment_stamp import confirm_restored
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.dev.servers.binaries import postgres_binaries
from genpulse.domain.errors import DatabaseInUse, MayBeCharged
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.provider import Provider
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.process import run_until
from tests.lifecycle.conftest import QUICK, postgresql_rows

pytestmark = pytest.mark.parametrize("rows", ["postgresql"], indirect=True)
WAITING = {"art/painter": "text-to-image", "art/shop": "text-to-image", "art/studio": "text-to-video"}
NO_IDENTITY = "UPDATE environment_stamp SET identity = 'another/1'"


def _copied(source, target):
    """By the programs of PostgreSQL, as an operator does it."""
    programs = postgres_binaries().folder
    dump = subprocess.run(
        [programs / "pg_dump", "--format=custom", source], stdout=subprocess.PIPE, check=True
    ).stdout
    subprocess.run(
        [programs / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={target}"], input=dump, check=True
    )


@pytest.fixture
async def backup(migrated_url, database_url):
    """Takes a backup of the world's database, which is restored at once and lies there."""

    async def backup():
        await asyncio.to_thread(_copied, migrated_url, database_url)
        connection = await asyncpg.connect(database_url)
        await connection.execute(NO_IDENTITY)
        await connection.close()

    return backup


@asynccontextmanager
async def restored(world, url):
    """The world, on the database that was restored."""
    before = world.services
    pool = await open_pool(url, size=6, application_name="restored", environment="dev")
    async with postgresql_rows(url, pool) as rows:
        world.services = replace(
            before,
            store=rows.store,
            batches=rows.batches,
            queue=rows.queue,
            deliveries=rows.deliveries,
            ended_work=rows.ended_work,
            keys=rows.keys,
            retention=rows.retention,
            deletions=rows.deletions,
            budgets=rows.budgets,
        )
        yield
    await pool.close()
    world.services = before


def orders(world):
    return {"shop": world.shop.sold, "studio": world.studio.submits}


async def lost(world, backup):
    """Orders before the backup and after it; returns the tasks. Nobody works any more in the end."""
    world.studio.finished = False
    worker = asyncio.create_task(run_until(asyncio.Event(), world.services, QUICK))
    running = await world.submit("art/studio")
    async with asyncio.timeout(60):
        while not ((order := (await world.services.store.get(running.id)).order) and order.job_id):
            await asyncio.sleep(0.01)
    await killed(worker)
    waiting = {model: await world.submit(model, kind=kind) for model, kind in WAITING.items()}
    put_off = await world.submit(
        "art/shop", kind="text-to-image", run_at=world.services.now() + timedelta(hours=1)
    )
    await backup()
    world.studio.finished = True
    async with world.worker():
        for task in (running, *waiting.values()):
            assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    assert orders(world) == {"shop": 1, "studio": 2}
    return running, waiting, put_off


async def killed(worker):
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_nothing_that_was_ordered_after_the_backup_is_ordered_again(world, backup, database_url):
    running, waiting, put_off = await lost(world, backup)
    paid = orders(world)
    assert (await confirm_restored(database_url, "dev")).doubtful == len(WAITING)
    async with restored(world, database_url), world.worker():
        assert (await world.ended(running)).status is TaskStatus.SUCCEEDED
        assert (await world.ended(waiting["art/painter"])).status is TaskStatus.SUCCEEDED
        for model in ("art/shop", "art/studio"):
            task = await world.ended(waiting[model])
            assert (task.status, task.error.code) == (TaskStatus.FAILED, FailureCode.UNKNOWN_OUTCOME)
            assert task.error.charged is Charged.MAYBE
            assert "restored from a backup" in task.error.message
        assert orders(world) == paid
        later = await world.services.store.get(put_off.id)
        assert (later.status, later.order) == (TaskStatus.QUEUED, None)


async def test_a_person_decides_what_is_ordered_again(world, backup, database_url):
    _, waiting, _ = await lost(world, backup)
    await confirm_restored(database_url, "dev")
    async with restored(world, database_url), world.worker():
        task = await world.ended(waiting["art/studio"])
        with pytest.raises(MayBeCharged, match="restored from a backup, and nobody knows"):
            await retry(world.services, task.id)
        before = world.studio.submits
        await retry(world.services, task.id, even_if_charged=True)
        assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
        assert world.studio.submits == before + 1


async def test_a_doubtful_task_that_nobody_wants_any_more_says_what_may_go_on(world, backup, database_url):
    _, waiting, _ = await lost(world, backup)
    await confirm_restored(database_url, "dev")
    async with restored(world, database_url):
        await cancel(world.services, waiting["art/studio"].id)
        async with world.worker():
            task = await world.ended(waiting["art/studio"])
    assert (task.status, task.error.code) == (TaskStatus.CANCELED, FailureCode.UNKNOWN_OUTCOME)
    assert "restored from a backup" in task.error.message
    assert world.studio.canceled == []


async def test_what_costs_nothing_is_done_again(world, backup, database_url):
    _, waiting, _ = await lost(world, backup)
    await confirm_restored(database_url, "dev")
    models = [world.services.catalogue.model(model) for model in WAITING]
    free = Provider(
        "art", tuple(replace(model, name=model.name.rpartition("/")[2]) for model in models), paid=False
    )
    world.services = replace(world.services, catalogue=LoadedCatalogue([free]))
    async with restored(world, database_url), world.worker():
        for task in waiting.values():
            assert (await world.ended(task)).status is TaskStatus.SUCCEEDED


async def test_nobody_may_work_meanwhile_and_a_second_time_changes_nothing(world, backup, database_url):
    await lost(world, backup)
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "genpulse worker"})
    with pytest.raises(DatabaseInUse):
        await confirm_restored(database_url, "dev")
    await connection.close()
    assert [(await confirm_restored(database_url, "dev")).doubtful for _ in range(2)] == [len(WAITING)] * 2
