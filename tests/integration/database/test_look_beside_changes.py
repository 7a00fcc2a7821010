"""A look that asks more than once, while tasks change between its statements."""

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.tasks import looks
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import Backend, new_task


class RunAgainMeanwhile(PostgresTaskStore):
    """Runs a task again after the index of what has ended was read."""

    task_id = None

    async def _gathered(self, *arguments):
        rows = await super()._gathered(*arguments)
        if self.task_id is not None:
            await self.retry(self.task_id)
        return rows


async def test_a_task_that_is_run_again_meanwhile_is_shown_once(migrated_url, pools, monkeypatch):
    monkeypatch.setattr(looks, "FEW", 1)
    async with pools.lent(5) as pool:
        queue = PostgresTaskQueue(pool, None)
        store = RunAgainMeanwhile(pool)
        backend = Backend(store, queue)
        begun = await backend.begun(input={"prompt": "a heron"})
        await backend.end(begun.lease, Failed(ProviderUnavailable("away").failure))
        await store.submit(new_task(input={"prompt": "a fox"}))
        store.task_id = begun.task.id
        page = await store.look(TaskQuery(5, filter=TaskFilter(texts=("heron",))), 100)
        assert [(task.id, task.status) for task in page.matches] == [(begun.task.id, TaskStatus.QUEUED)]
        await queue.close()
        await store.close()
