"""Doing one thing with many tasks, while others do something with one of them."""

from dataclasses import replace
from datetime import timedelta

from genpulse.domain.attempt import End, Failed
from genpulse.domain.errors import ProviderRejected, ProviderUnavailable
from genpulse.domain.failure import FailureCode
from genpulse.domain.keys.caller import WITHOUT_KEY
from genpulse.domain.search.task_query import TaskFilter
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.bulk_actions import BulkAction, Selection, act
from genpulse.lifecycle.retry import retry


class _ChangesMeanwhile:
    """A store in which something happens right after a task was looked at for the first time."""

    def __init__(self, store, change):
        self._store, self._change, self._has_changed = store, change, False

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def get(self, task_id):
        task = await self._store.get(task_id)
        if not self._has_changed:
            self._has_changed = True
            await self._change()
        return task


async def test_a_task_that_is_retried_and_fails_anew_while_it_is_looked_at_is_left_out(world):
    """The failure of now is not the one because of which it was to run again."""

    async def fail(error):
        begun = await world.begun()
        await world.services.store.finish(End(begun.lease, Failed(error.failure)))

    async def change():
        await retry(world.services, task.id)
        await fail(ProviderRejected("not this input"))

    task = await world.submit("art/painter")
    await fail(ProviderUnavailable("away"))
    services = replace(world.services, store=_ChangesMeanwhile(world.services.store, change))
    as_of = await services.store.now() + timedelta(milliseconds=1)
    selection = Selection(BulkAction.RETRY, TaskFilter(), as_of)
    progress = await act(services, selection, None, caller=WITHOUT_KEY, goes_on=lambda: False)
    assert (progress.done, progress.left_out) == (0, {"changed_since": 1})
    now = await world.services.store.get(task.id)
    assert (now.status, now.error.code) == (TaskStatus.FAILED, FailureCode.PROVIDER_REJECTED)
